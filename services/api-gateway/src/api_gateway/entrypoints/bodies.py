"""The shapes of request bodies. Unknown fields are refused: a misspelt one must not be taken for a default."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from api_gateway.domain.access import Scope
from api_gateway.domain.refusals import invalid
from api_gateway.domain.submission import Item, Submission
from common.catalogue.definitions import GroupPurpose
from common.contracts.directory import Identity
from common.contracts.requests import MOST_ITEMS, MOST_RECIPIENTS, ItemFields, NotificationFields
from common.contracts.vocabulary import SuppressionReason

MOST_IDS = 1_000
Provider = Literal["fonnte", "wablas"]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ItemBody(Body, ItemFields):
    """One recipient of a bulk call; its `message` and `data` each replace the shared ones."""


class NotificationBody(Body, NotificationFields):
    """A notification to accept: `to` with a shared message, or `items` with what differs."""

    items: list[ItemBody] | None = Field(None, min_length=1, max_length=MOST_ITEMS)  # type: ignore[assignment]  # stricter

    def submission(self) -> Submission:
        return submission_of(self)


def submission_of(fields: NotificationFields) -> Submission:
    """What was asked for, over HTTP or on the bus. Raises `Refused` for lists that are too short or too long."""
    if isinstance(fields.to, list) and not 1 <= len(fields.to) <= MOST_RECIPIENTS:
        raise invalid("to", f"{len(fields.to):,} recipients; between 1 and {MOST_RECIPIENTS:,} in one call")
    to: list[Any] = [] if fields.to is None else [fields.to] if isinstance(fields.to, str) else fields.to
    return Submission(
        type=fields.type,
        to=to,
        items=[Item(item.to, item.message, item.data) for item in fields.items or ()],
        bulk=fields.items is not None or isinstance(fields.to, list),
        message=fields.message,
        data=fields.data,
        priority=fields.priority,
        send_at=fields.send_at,
        validity_seconds=fields.validity_seconds,
        on_unknown=fields.on_unknown,
        channels=None if fields.channels is None else tuple(dict.fromkeys(fields.channels)),
        providers=None if fields.providers is None else tuple(dict.fromkeys(fields.providers)),
        direct=fields.direct,
        force=fields.force,
        template=fields.template,
    )


class NoBody(Body):
    """Nothing to say; `{}` or no body at all."""


EventName = Annotated[StrictStr, Field(max_length=60)]


class EndpointBody(Body):
    """Where a portal wants to be told, and of what."""

    url: StrictStr = Field(max_length=2048)
    events: list[EventName] = Field(min_length=1, max_length=30, description="`delivery.sent`, `delivery.*` or `*`")
    description: StrictStr = Field("", max_length=200)


class EndpointChangeBody(Body):
    """What is to be changed of an endpoint; what is left out stays."""

    url: StrictStr | None = Field(None, max_length=2048)
    events: list[EventName] | None = Field(None, min_length=1, max_length=30)
    description: StrictStr | None = Field(None, max_length=200)
    enabled: StrictBool | None = None


class ReplayBody(Body):
    """Whether it is handed in again although it was before."""

    force: StrictBool = False


class JobRunBody(Body):
    """`date`: the local day to run it for, today if none is named. A dry run finds what a real one would, and tells
    nobody; it alone may look ahead.
    """

    date: Annotated[StrictStr, Field(max_length=40)] | None = Field(None, description="Like 2025-11-15.")
    dry_run: StrictBool = False


class IdentitiesBody(Body):
    """Which dead deliveries."""

    ids: list[Annotated[StrictStr, Field(max_length=100)]] = Field(min_length=1, max_length=MOST_IDS)


class SuppressionBody(Body):
    """A recipient to leave alone, in any spelling; `reason` is a person's decision unless it is said otherwise."""

    recipient: StrictStr = Field(max_length=254)
    reason: SuppressionReason = SuppressionReason.BLOCKED
    note: Annotated[StrictStr, Field(min_length=1, max_length=300)] | None = None


class ErasureBody(Body):
    """A person, named in one way. Names and numbers are taken in any spelling; a dry run only counts."""

    phone: StrictStr | None = Field(None, max_length=60)
    email: StrictStr | None = Field(None, max_length=254)
    customer_id: Identity | None = None
    dry_run: StrictBool = False


class TestMessageBody(Body):
    """A message to see whether sending works; by default to ADMIN_WHATSAPP_NUMBER."""

    __test__ = False  # pytest takes classes of this name for tests

    to: StrictStr | None = None
    message: StrictStr | None = None


class GroupBody(Body):
    """A WhatsApp group, and what each provider calls it: `120363000000000001@g.us`, with or without its ending."""

    name: StrictStr = Field(min_length=1, max_length=100, pattern=r"\S")
    purpose: GroupPurpose = GroupPurpose.OTHER
    group_ids: dict[Provider, StrictStr] = Field(min_length=1)
    active: StrictBool = True


class GroupChangeBody(Body):
    """What to change of a group; what is left out stays."""

    name: StrictStr | None = Field(None, min_length=1, max_length=100, pattern=r"\S")
    purpose: GroupPurpose | None = None
    group_ids: dict[Provider, StrictStr] | None = Field(None, min_length=1)
    active: StrictBool | None = None


class GroupSyncBody(Body):
    """Which provider to ask; every one unless it is said."""

    provider: Provider | None = None


class GroupTestBody(Body):
    """What to write to the group."""

    message: StrictStr | None = Field(None, min_length=1, max_length=1000)


class ApiKeyBody(Body):
    """A key for a service: what it is called and what it may do."""

    name: StrictStr = Field(min_length=1, max_length=80, pattern=r"\S")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    expires_at: StrictStr | None = Field(
        None, max_length=40, description="ISO 8601; without an offset in KABAR_TIMEZONE. Left out, it does not expire."
    )
