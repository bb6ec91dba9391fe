"""What the dispatcher needs of the world, in its own words."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from common.contracts.documents import (
    AudienceMember,
    Circuit,
    DeliveryDocument,
    NotificationDocument,
    SenderDocument,
    SuppressionDocument,
    TemplateDocument,
)
from common.contracts.events import AttemptsRequested
from common.contracts.vocabulary import NotificationStatus
from common.mongo.gate import Granted, Limits, Wait
from dispatcher.domain.change import Change
from dispatcher.domain.repeats import OnlyOnce


class Notifications(Protocol):
    def accepted(self, ids: Sequence[str]) -> AsyncIterator[NotificationDocument]:
        """Those of the notifications that still wait to be planned, a few at a time in memory; also cancelled ones."""
        ...

    async def overdue(self, now: datetime, limit: int) -> list[str]:
        """Small ones nobody planned in time, and those of any size that are cancelled and not over yet."""
        ...

    async def page(self, notification: NotificationDocument, number: int) -> list[AudienceMember]: ...

    async def hasten(self, ids: Sequence[str], now: datetime) -> None:
        """Have those large ones planned as soon as somebody has time that nobody plans yet."""
        ...

    async def lease(self, lease: str, now: datetime, until: datetime) -> NotificationDocument | None:
        """The large notification that has waited longest to be planned: nobody else gets it before `until`."""
        ...

    async def release(self, notification_id: str, lease: str, wake_at: datetime) -> None:
        """Let others plan it from `wake_at` on."""
        ...

    async def page_planned(
        self, notification_id: str, lease: str, pages: int, until: datetime, *, last: str | None = None
    ) -> NotificationStatus | None:
        """Note how far planning came, in pages and (`last`) in rows, and keep the lease until then; answers the status
        it has by now, `None` when somebody else has the lease.
        """
        ...

    async def completed(self, notification_id: str, lease: str, found: int | None) -> bool:
        """Note that all of a large one is planned, and how many were `found` in the directory; `False` when it is
        cancelled or somebody else plans it.
        """
        ...

    async def planned(self, ids: Sequence[str]) -> int:
        """Note that planning is complete; answers of how many nobody had noted it."""
        ...

    async def cancelled(self, ids: Sequence[str]) -> list[str]:
        """Those that somebody has cancelled."""
        ...

    async def closed(self, ids: Sequence[str], *, lease: str | None = None, found: int | None = None) -> None:
        """Note that nothing is left to plan of those that are cancelled; a large one needs its lease."""
        ...

    async def postpone(self, ids: Sequence[str], wake_at: datetime) -> None: ...


class PlannedDeliveries(Protocol):
    """Deliveries as planning makes them and takes them back."""

    async def add(self, deliveries: Sequence[DeliveryDocument]) -> Collection[str]:
        """Insert those that are not there yet; answers the identities of those that were."""
        ...

    async def count(self, notification_id: str) -> int:
        """How many a notification has."""
        ...

    async def cancel(self, notification_ids: Sequence[str], now: datetime) -> int:
        """End what waits of some notifications and call off what is under way; answers how many ended."""
        ...


class Deliveries(Protocol):
    """Deliveries that are there."""

    async def heads(self, lanes: Sequence[str], now: datetime, limit: int) -> list[DeliveryDocument]:
        """The next deliveries of some lanes: priority, then age."""
        ...

    async def critical(self, lanes: Sequence[str], now: datetime, limit: int) -> list[DeliveryDocument]:
        """The next deliveries of critical priority."""
        ...

    async def aged(
        self, lanes: Sequence[str], rank: int, before: datetime, now: datetime, limit: int
    ) -> list[DeliveryDocument]:
        """The oldest of one priority that have waited since `before`."""
        ...

    async def claim(
        self, deliveries: Sequence[DeliveryDocument], *, claim: str, provider: str, sender: str, now: datetime,
        deadline: datetime,
    ) -> list[DeliveryDocument]:  # fmt: skip
        """Turn queued deliveries into sending ones; answers those nobody else took first, as they are now."""
        ...

    async def following(self, head: DeliveryDocument, limit: int) -> list[DeliveryDocument]:
        """A delivery in a lane and those that stand behind it with the same rank."""
        ...

    async def requested(self, sender: str, most: int) -> int:
        """Attempts of a sender that its gateway has not started yet, counted up to `most`."""
        ...

    async def read(self, ids: Sequence[str]) -> list[DeliveryDocument]: ...

    def overdue(self, now: datetime, limit: int) -> AsyncIterator[list[DeliveryDocument]]:
        """What passed its deadline: up to `limit` of each kind of waiting, one kind after the other.

        So many of one kind, as when a broadcast's time comes, do not delay those of another.
        """
        ...

    async def wake_rests(self, lanes: Sequence[str], now: datetime) -> None:
        """Have those looked at that wait in these lanes for the rest of a round."""
        ...

    async def save(self, changes: Iterable[tuple[DeliveryDocument, Change]], now: datetime) -> list[str]:
        """Write changes under the revision each was read with; answers the ids of those somebody changed meanwhile."""
        ...


class Templates(Protocol):
    async def get(self, identity: str) -> TemplateDocument:
        """A version of a template, which never changes."""
        ...


class Directory(Protocol):
    async def customers(self, after: str | None, area: str | None, limit: int) -> Sequence[Mapping[str, Any]]:
        """Active ones, in the order of their `_id`s."""
        ...

    async def many(self, kind: str, identities: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Rows by identity, of those that are there."""
        ...


class Suppressions(Protocol):
    async def among(self, recipients: Collection[str]) -> Mapping[str, SuppressionDocument]:
        """Those of the recipients nobody may contact, by recipient."""
        ...

    def why(self, suppression: SuppressionDocument) -> str:
        """The reason in words."""
        ...


class Repeats(Protocol):
    async def among(self, wanted: Sequence[OnlyOnce]) -> Mapping[str, datetime]:
        """Those deliveries that would repeat what another one has told or will tell, and when; the others are noted as
        the ones that tell it. Asked again the answer is the same.
        """
        ...


class Senders(Protocol):
    async def all(self) -> list[SenderDocument]: ...

    async def save_circuit(self, sender: str, circuit: Circuit) -> bool:
        """Write a circuit under the revision it was read with; `False` when it changed meanwhile."""
        ...

    async def circuit(self, sender: str) -> Circuit | None:
        """A sender's circuit; `None` when nobody knows the sender."""
        ...


class Gate(Protocol):
    async def grant(self, key: str, limits: Limits, *, want: int = 1, skip_gap: bool = False) -> Granted | Wait: ...

    async def give_back(self, key: str, granted: Granted, *, unused: int | None = None) -> None:
        """All of a grant, or the part of it that is not used."""
        ...


class Gateways(Protocol):
    async def request(self, attempts: AttemptsRequested) -> None:
        """Hand attempts to the gateway of their provider; raises `Transient` when RabbitMQ does not take them."""
        ...

    @property
    def reachable(self) -> bool: ...
