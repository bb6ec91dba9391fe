"""The shapes of request bodies. Unknown fields are refused: a misspelt one must not be taken for a default."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from api_gateway.domain.access import Scope
from api_gateway.domain.submission import Item, Submission
from common.contracts.requests import MOST_ITEMS, ItemFields, NotificationFields

MOST_IDS = 1_000


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ItemBody(Body, ItemFields):
    """One recipient of a bulk call; its `message` and `data` each replace the shared ones."""


class NotificationBody(Body, NotificationFields):
    """A notification to accept: `to` with a shared message, or `items` with what differs."""

    items: list[ItemBody] | None = Field(None, min_length=1, max_length=MOST_ITEMS)  # type: ignore[assignment]  # stricter

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


class ReplayBody(Body):
    """Whether it is handed in again although it was before."""

    force: StrictBool = False


class IdentitiesBody(Body):
    """Which dead deliveries."""

    ids: list[Annotated[StrictStr, Field(max_length=100)]] = Field(min_length=1, max_length=MOST_IDS)


class TestMessageBody(Body):
    """A message to see whether sending works; by default to ADMIN_WHATSAPP_NUMBER."""

    __test__ = False  # pytest takes classes of this name for tests

    to: StrictStr | None = None
    message: StrictStr | None = None


class ApiKeyBody(Body):
    """A key for a service: what it is called and what it may do."""

    name: StrictStr = Field(min_length=1, max_length=80, pattern=r"\S")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    expires_at: StrictStr | None = Field(
        None, max_length=40, description="ISO 8601; without an offset in KABAR_TIMEZONE. Left out, it does not expire."
    )
