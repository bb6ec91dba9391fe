"""What the use cases need from the world, in their own words."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from api_gateway.domain.access import Caller
from api_gateway.domain.api_key import ApiKey
from api_gateway.domain.audit import Outcome
from api_gateway.domain.statistics import Tally
from common.contracts.documents import (
    AlertDocument,
    AudienceMember,
    DeliveryDocument,
    NotificationDocument,
    SenderDocument,
)
from common.contracts.vocabulary import AlertStatus, DeliveryStatus


class Announcements(Protocol):
    """Tells the dispatcher of accepted notifications, soon and without being waited for; or never, when too many wait:
    its sweeper finds them.
    """

    def put(self, notification_id: str) -> None: ...


class Alerts(Protocol):
    async def page(self, status: AlertStatus | None, before: str | None, limit: int) -> list[AlertDocument]:
        """Newest first."""


class Notifications(Protocol):
    async def accept(self, notification: NotificationDocument, pages: Sequence[Sequence[AudienceMember]]) -> None:
        """Store it with its pages, once: doing it again with the same identity changes nothing."""

    async def get(self, notification_id: str) -> NotificationDocument | None: ...

    async def cancel(self, notification_id: str, *, sweep_at: datetime) -> None:
        """Let nothing more of it be planned to be sent; the dispatcher's sweeper looks after the rest of it then."""

    async def progress(self, notification_id: str) -> dict[str, int]:
        """Its deliveries by status."""

    async def to_many(self, before: datetime | None, limit: int) -> list[NotificationDocument]:
        """Those with more than one recipient, newest first."""

    async def progress_of(self, ids: Sequence[str]) -> Mapping[str, dict[str, int]]:
        """The same as `progress`, of several at once; those without any delivery are left out."""


@dataclass(frozen=True)
class Selection:
    """Which deliveries are asked for; `before` is the last one of the page before."""

    statuses: Sequence[DeliveryStatus] = ()
    notification_id: str | None = None
    delivery_id: str | None = None
    recipient: str | None = None
    type: str | None = None
    channel: str | None = None
    provider: str | None = None
    code: str | None = None
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

    def queued(self) -> AsyncIterator[list[str]]:
        """Batches of everything that is."""

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
        """Let everything of the channel WhatsApp that waits for a backoff line up now; how many did."""


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

    async def counts(self, statuses: Sequence[DeliveryStatus]) -> dict[str, int]:
        """Deliveries of the channel WhatsApp, by status."""

    async def dead(self) -> int:
        """How many of the channel WhatsApp wait for a person."""

    async def heads(self, lanes: Sequence[str], limit: int) -> list[DeliveryDocument]:
        """The first of each lane."""

    async def unplanned(self) -> Mapping[tuple[str, int], int]:
        """Recipients of accepted notifications without deliveries so far, by channel and rank."""


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


class DeliveryStatistics(Protocol):
    async def since(self, moment: datetime) -> list[Tally]:
        """Deliveries of notifications accepted since a moment, counted by what they have in common."""


@dataclass(frozen=True)
class Answer:
    """What a request was answered with. `shown_once` is the body only the first one gets; it is never stored."""

    status: int
    body: bytes
    location: str | None = None
    shown_once: bytes | None = None


@dataclass(frozen=True)
class Reservation:
    """An idempotency key in somebody's hands. `token` says whose, since `reserved_at`; it was first seen at
    `created_at`; `answer` is there once it is done.
    """

    key: str
    fingerprint: str
    resource_id: str
    token: str
    reserved_at: datetime
    created_at: datetime
    abandoned: bool = False
    answer: Answer | None = None


class Reservations(Protocol):
    async def reserve(self, wanted: Reservation) -> Reservation:
        """The reservation that holds the key: the wanted one, or the one that was there before."""

    async def take_over(self, found: Reservation, wanted: Reservation) -> bool:
        """Make an unfinished reservation one's own, unless somebody else just did or it was renewed."""

    async def renew(self, mine: Reservation, at: datetime) -> None:
        """Reserve it anew, if it still is one's own."""

    async def complete(self, mine: Reservation, answer: Answer) -> None: ...

    async def release(self, mine: Reservation) -> None:
        """Forget it: nothing was done under it."""

    def abandon(self, mine: Reservation) -> None:
        """Leave it, even if it is not known to be stored, to the next caller, who goes on with the same resource."""


@dataclass
class Change:
    """A change under way; whoever makes it says here what there is after it."""

    after: Mapping[str, Any] | None = None


class AuditLog(Protocol):
    """Who did what. An entry is written before its change is made, so that none is ever missing; numbers are masked
    and what is named like a secret is left out. Subjects are identities as paths have them: `fonnte-1`, `dlv_…`.

    Both raise `Unavailable` when the entry cannot be written; then the change must not be made.
    """

    def changing(
        self, caller: Caller, action: str, subject: str | Sequence[str], *, before: Mapping[str, Any] | None = None
    ) -> AbstractAsyncContextManager[Change]:
        """Around a change: `done` when the block ends, `refused` when it raises `Refused`, else `unknown`."""

    async def note(
        self,
        caller: Caller,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """A change whose outcome is known: about to be made with nothing left to refuse it, or made by reading."""


@dataclass(frozen=True)
class AuditEntry:
    """`action` is `<thing>.<act>`, like `sender.pause`."""

    id: str
    at: datetime
    actor: str
    role: str
    action: str
    targets: Sequence[str]
    outcome: Outcome
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    address: str | None = None


@dataclass(frozen=True)
class AuditSelection:
    """Which entries are asked for; `before` is the last one of the page before."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    limit: int = 50


class AuditEntries(Protocol):
    async def add(self, entry: AuditEntry) -> None:
        """Durable once this returns; raises `Unavailable`."""

    async def settle(self, entry_id: str, outcome: Outcome, after: Mapping[str, Any] | None) -> None: ...

    async def page(self, selection: AuditSelection) -> list[AuditEntry]:
        """Newest first."""


class ApiKeys(Protocol):
    async def usable(self, now: datetime) -> list[ApiKey]:
        """All that are neither revoked nor expired."""

    async def keep(self, key: ApiKey) -> None:
        """Store it, in place of what has its identity."""

    async def get(self, key_id: str) -> ApiKey | None: ...

    async def page(self, before: str | None, limit: int) -> list[ApiKey]:
        """Newest first, from the one after `before` on."""

    async def revoke(self, key_id: str, at: datetime) -> None: ...

    async def note_used(self, ids: Sequence[str], at: datetime) -> None: ...
