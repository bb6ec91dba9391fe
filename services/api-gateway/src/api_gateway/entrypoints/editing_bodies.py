"""The shapes of what operators write: templates and routes."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from api_gateway.entrypoints.bodies import Body
from common.catalogue.routes import FIELDS
from common.config.whatsapp import PROVIDERS
from common.contracts.requests import LONGEST_VALIDITY
from common.contracts.vocabulary import Channel, OnUnknown, Priority
from common.rendering.template import MOST_SOURCE_CHARACTERS

LONGEST_UNKNOWN_WAIT = 3_600
NULLABLE = frozenset({"providers", "unknown_wait_seconds", "hours"})
"""Fields of a route for which null means something: as configured, at any time."""
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)


def _time(value: str) -> str:
    if not _TIME.match(value):
        raise ValueError("must be a time of day like 07:00")
    return value


def _provider(value: str) -> str:
    if value not in PROVIDERS:
        raise ValueError(f"known providers are {', '.join(PROVIDERS)}")
    return value


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise ValueError("names one twice")
    return values


def _route_field(value: str) -> str:
    if value not in FIELDS:
        raise ValueError(f"known are {', '.join(FIELDS)}")
    return value


Source = Annotated[StrictStr, Field(max_length=MOST_SOURCE_CHARACTERS)]
TimeOfDay = Annotated[StrictStr, AfterValidator(_time)]
Number = StrictInt | StrictFloat


class TextsBody(Body):
    """The sources of a template; what is left out stays as it is. `null` takes the e-mail away."""

    whatsapp: Source = Field("", description="The text: values as {{ customer.name }}, filters, if and for.")
    email_subject: Source | None = Field(None, description="One line; together with email_text.")
    email_text: Source | None = None

    def given(self) -> dict[str, str | None]:
        sources = {"whatsapp": self.whatsapp, "email_subject": self.email_subject, "email_text": self.email_text}
        return {name: source for name, source in sources.items() if name in self.model_fields_set}


class TemplateBody(TextsBody):
    """The next version of a template; what is left out stays as it is. `null` takes the e-mail away."""


class PreviewBody(TextsBody):
    """What to look at: a published `version` (the current one if none is named), or texts that are not published."""

    version: Annotated[StrictInt, Field(ge=1, le=2**31)] | None = None
    data: dict[str, Any] | None = Field(None, description="Instead of the type's example.")


class HoursBody(Body):
    """From `begins` until `ends` in KABAR_TIMEZONE; past midnight when `ends` is the earlier one."""

    begins: TimeOfDay
    ends: TimeOfDay

    @model_validator(mode="after")
    def _is_a_while(self) -> "HoursBody":
        if self.begins == self.ends:
            raise ValueError("begins and ends must differ; null is at any time")
        return self


class RouteBody(Body):
    """What to change of a route; fields of `reset` go back to the type's default."""

    priority: Priority | None = None
    channels: Annotated[list[Channel], AfterValidator(_distinct)] | None = Field(None, min_length=1)
    providers: Annotated[list[Annotated[StrictStr, AfterValidator(_provider)]], AfterValidator(_distinct)] | None = (
        Field(None, min_length=1, description="In the order they are tried; null is as configured.")
    )
    validity_seconds: Annotated[Number, Field(ge=1, le=LONGEST_VALIDITY, allow_inf_nan=False)] | None = None
    on_unknown: OnUnknown | None = None
    unknown_wait_seconds: Annotated[Number, Field(ge=0, le=LONGEST_UNKNOWN_WAIT, allow_inf_nan=False)] | None = None
    hours: HoursBody | None = Field(None, description="When it may go out; null is at any time.")
    dedupe_seconds: Annotated[Number, Field(ge=0, le=LONGEST_VALIDITY, allow_inf_nan=False)] | None = None
    suppressible: StrictBool | None = None
    enabled: StrictBool | None = None
    reset: list[Annotated[StrictStr, AfterValidator(_route_field)]] = Field(default_factory=list)
    revision: Annotated[StrictInt, Field(ge=0)] | None = Field(
        None, description="Change it only if it is still at this revision."
    )

    def changes(self) -> dict[str, Any]:
        return self.model_dump(mode="json", include=self.model_fields_set & set(FIELDS))
