"""The shapes of request bodies. Unknown fields are refused: a misspelt one must not be taken for a default."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from api_gateway.domain.submission import Item, Submission
from common.contracts.vocabulary import NotificationType, OnUnknown, Priority

MOST_RECIPIENTS = 100_000
MOST_ITEMS = 10_000
MOST_IDS = 1_000
LONGEST_VALIDITY = 30 * 24 * 3600

Values = dict[str, Any]
Seconds = Annotated[StrictInt | StrictFloat, Field(gt=0, le=LONGEST_VALIDITY, allow_inf_nan=False)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ItemBody(Body):
    """One recipient of a bulk call; its `message` and `data` each replace the shared ones."""

    to: Any = Field(description="Phone number or group id.", json_schema_extra={"type": "string"})
    message: StrictStr | None = None
    data: Values | None = None


class NotificationBody(Body):
    """A notification to accept: `to` with a shared message, or `items` with what differs."""

    type: NotificationType
    to: StrictStr | list[Any] | None = Field(
        None,
        description=f"One recipient or up to {MOST_RECIPIENTS:,}: phone numbers (6281200000001) or groups (…@g.us).",
        json_schema_extra={
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_RECIPIENTS},
            ]
        },
    )
    items: list[ItemBody] | None = Field(None, min_length=1, max_length=MOST_ITEMS)
    message: StrictStr | None = Field(None, description="With `data`, a template: `Halo {{ name }}`.")
    data: Values | None = Field(None, description="Values of the template; for otp `code` and `purpose`.")
    priority: Priority | None = None
    send_at: StrictStr | None = Field(None, description="ISO 8601; without an offset in KABAR_TIMEZONE.")
    validity_seconds: Seconds | None = Field(None, description="After it nothing is sent any more.")
    on_unknown: OnUnknown | None = Field(None, description="What follows when nobody can tell whether it was sent.")
    providers: list[Literal["fonnte", "wablas"]] | None = Field(None, min_length=1)
    direct: StrictBool = Field(default=False, description="Skip the queue and wait for the provider (admin only).")
    force: StrictBool = Field(default=False, description="Accept it although it ends beyond its validity.")

    def submission(self) -> Submission:
        single = isinstance(self.to, str)
        to: list[Any] = [] if self.to is None else [self.to] if isinstance(self.to, str) else self.to
        return Submission(
            type=self.type,
            to=to,
            items=[Item(item.to, item.message, item.data) for item in self.items or ()],
            bulk=not single,
            message=self.message,
            data=self.data,
            priority=self.priority,
            send_at=self.send_at,
            validity_seconds=self.validity_seconds,
            on_unknown=self.on_unknown,
            providers=None if self.providers is None else tuple(dict.fromkeys(self.providers)),
            direct=self.direct,
            force=self.force,
        )


class NoBody(Body):
    """Nothing to say; `{}` or no body at all."""


class IdentitiesBody(Body):
    """Which dead deliveries."""

    ids: list[Annotated[StrictStr, Field(max_length=100)]] = Field(min_length=1, max_length=MOST_IDS)


class TestMessageBody(Body):
    """A message to see whether sending works; by default to ADMIN_WHATSAPP_NUMBER."""

    __test__ = False  # pytest takes classes of this name for tests

    to: StrictStr | None = None
    message: StrictStr | None = None
