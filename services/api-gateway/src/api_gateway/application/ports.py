"""What the use cases need from the world, in their own words."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.contracts.documents import AudienceMember, DeliveryDocument, NotificationDocument, SenderDocument
from common.contracts.vocabulary import DeliveryStatus


class Announcements(Protocol):
    """Tells the dispatcher of accepted notifications, soon and without being waited for; or never, when too many wait:
    its sweeper finds them.
    """

    def put(self, notification_id: str) -> None: ...


class Notifications(Protocol):
    async def accept(self, notification: NotificationDocument, pages: Sequence[Sequence[AudienceMember]]) -> None:
        """Store it with its pages, once: doing it again with the same identity changes nothing."""

    async def get(self, notification_id: str) -> NotificationDocument | None: ...

    async def cancel(self, notification_id: str, *, sweep_at: datetime) -> None:
        """Let nothing more of it be planned to be sent; the dispatcher's sweeper looks after the rest of it then."""

    async def progress(self, notification_id: str) -> dict[str, int]:
        """Its deliveries by status."""


@dataclass(frozen=True)
class Selection:
    """Which deliveries are asked for; `before` is the last one of the page before."""

    statuses: Sequence[DeliveryStatus] = ()
    notification_id: str | None = None
    delivery_id: str | None = None
    recipient: str | None = None
    type: str | None = None
    provider: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    dead: bool = False
    limit: int = 50


class Deliveries(Protocol):
    async def get(self, delivery_id: str) -> DeliveryDocument | None: ...

    async def of_notification(self, notification_id: str) -> DeliveryDocument | None:
        """The only delivery of a notification to one recipient, once it is planned."""

    async def page(self, selection: Selection) -> list[DeliveryDocument]:
        """Newest first."""

    def waiting(self, notification_id: str | None) -> AsyncIterator[list[str]]:
        """Batches of what is queued (or scheduled, of one notification)."""

    async def cancel(self, ids: Sequence[str], *, reason: str, cause: str, now: datetime) -> int:
        """End those of them that still wait, as unknown where an attempt may have arrived; how many did."""

    async def cancel_all(self, notification_id: str, *, reason: str, cause: str, now: datetime) -> int:
        """Cancel what waits of a notification and let what is under way not go on, whatever moves between the two
        meanwhile; how many waited.
        """

    async def line_up_again(self, deliveries: Sequence[DeliveryDocument], *, cause: str, now: datetime) -> int:
        """Queue ended ones anew, unless they have changed since they were read; how many were."""

    async def discard(self, ids: Sequence[str], *, cause: str, now: datetime) -> int:
        """Take dead ones out of what waits for a person; how many were."""

    async def hurry(self, now: datetime) -> int:
        """Let everything that waits for a backoff line up now; how many did."""


class Senders(Protocol):
    async def all(self) -> list[SenderDocument]: ...

    async def get(self, sender_id: str) -> SenderDocument | None: ...

    async def pause(self, sender_id: str, by: str) -> bool: ...

    async def resume(self, sender_id: str) -> bool:
        """Let it take part again and close its circuit."""

    async def reset_limits(self, sender_id: str) -> bool: ...


@dataclass(frozen=True)
class Waiting:
    """How many wait in a lane at a rank, and since when the oldest does."""

    lane: str
    rank: int
    count: int
    oldest: datetime


class Queue(Protocol):
    async def waiting(self) -> list[Waiting]: ...

    async def counts(self, statuses: Sequence[DeliveryStatus]) -> dict[str, int]: ...

    async def heads(self, lanes: Sequence[str], limit: int) -> list[DeliveryDocument]:
        """The first of each lane."""

    async def unplanned(self) -> Mapping[int, int]:
        """Recipients of accepted notifications without deliveries so far, by rank."""


@dataclass(frozen=True)
class Conservation:
    """Recipients accepted, and where each of them is now."""

    accepted: int
    deliveries: Mapping[str, int]
    not_yet_planned: int
    cancelled_before_planning: int

    @property
    def difference(self) -> int:
        """What is unaccounted for: 0, always."""
        return self.accepted - sum(self.deliveries.values()) - self.not_yet_planned - self.cancelled_before_planning


class Ledger(Protocol):
    async def conservation(self) -> Conservation:
        """Everything counted at one moment."""


@dataclass(frozen=True)
class Answer:
    """What a request was answered with."""

    status: int
    body: bytes
    location: str | None = None


@dataclass(frozen=True)
class Reservation:
    """An idempotency key in somebody's hands. `token` says whose; `answer` is there once it is done."""

    key: str
    fingerprint: str
    resource_id: str
    token: str
    reserved_at: datetime
    abandoned: bool = False
    answer: Answer | None = None


class Reservations(Protocol):
    async def reserve(self, wanted: Reservation) -> Reservation:
        """The reservation that holds the key: the wanted one, or the one that was there before."""

    async def take_over(self, found: Reservation, wanted: Reservation) -> bool:
        """Make an unfinished reservation one's own, unless somebody else just did."""

    async def complete(self, mine: Reservation, answer: Answer) -> None: ...

    async def release(self, mine: Reservation) -> None:
        """Forget it: nothing was done under it."""

    def abandon(self, mine: Reservation) -> None:
        """Leave it, even if it is not known to be stored, to the next caller, who goes on with the same resource."""
