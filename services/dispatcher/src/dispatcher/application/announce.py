"""Tell others what became of deliveries and notifications: at once what this process wrote, later what a crash left."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, TypeVar

from common.contracts.documents import DeliveryDocument, NotificationDocument
from common.contracts.event import Event
from common.contracts.events import DeliveryChanged, NotificationCancelled, NotificationChanged, NotificationPlanned
from common.contracts.vocabulary import NotificationStatus
from common.kernel.clock import Clock
from common.kernel.failures import Transient
from common.telemetry.logs import logger
from dispatcher.domain.announcements import of_timeline
from dispatcher.metrics import Metrics

BATCH = 500
CHUNK = 50
"""So many are told together, and noted as soon as they are: what follows them may take too long."""
MOST_WAITING = 20_000
"""Told later by the sweeper when more come than RabbitMQ takes, so that its absence costs bounded memory."""
CLAIM = timedelta(seconds=10)
"""How long one sweeper has what it found for itself."""
_NOTIFICATIONS: dict[str, type[NotificationChanged]] = {
    NotificationStatus.PLANNED: NotificationPlanned,
    NotificationStatus.CANCELLED: NotificationCancelled,
}
log = logger()
T = TypeVar("T")


class Subscribers(Protocol):
    """Whoever listens on the bus."""

    @property
    def reachable(self) -> bool: ...

    async def tell(self, events: Sequence[Event]) -> None:
        """Raises `Transient` when RabbitMQ did not take them all."""
        ...


class Untold(Protocol):
    """Deliveries and notifications of which something may not have been told."""

    async def told(self, events: Sequence[DeliveryChanged]) -> None:
        """Note that these were told, of deliveries that nothing happened to since."""
        ...

    async def deliveries(self, clock: Clock, lease: timedelta, limit: int) -> list[DeliveryDocument]:
        """Some that are overdue, for this sweeper alone until the lease ends."""
        ...

    async def deliveries_told(self, deliveries: Sequence[DeliveryDocument]) -> None: ...

    async def notifications(self, clock: Clock, lease: timedelta, limit: int) -> list[NotificationDocument]: ...

    async def notifications_told(self, notifications: Sequence[NotificationDocument]) -> None: ...

    async def progress(self, notification_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Deliveries by status for each notification."""
        ...


@dataclass
class Announce:
    """`put` takes what was just written; `step` tells it, many at once.

    Whatever is lost on the way (RabbitMQ away, this process dead) still has its `announce_at`, and `overdue` tells it.
    """

    subscribers: Subscribers
    untold: Untold
    clock: Clock
    metrics: Metrics
    _waiting: list[tuple[DeliveryChanged, bool]] = field(default_factory=list)
    _awake: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, events: Sequence[tuple[DeliveryChanged, bool]]) -> None:
        """With each event whether nothing older of its delivery waits to be told: then telling it leaves nothing."""
        if events and self.subscribers.reachable and len(self._waiting) < MOST_WAITING:
            self._waiting += events
            self._awake.set()

    async def step(self) -> bool:
        """Tell what waits, as soon as something does; `True` while there may be more."""
        await self._awake.wait()
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        if not self._waiting:
            self._awake.clear()
        await self._tell(batch, name=lambda one: one[0].event_id, events=lambda one: [one[0]], note=self._told)
        return True

    async def overdue(self) -> bool:
        """Tell what nobody told in time; `True` while there may be more."""
        if not self.subscribers.reachable:
            return False
        deliveries = await self.untold.deliveries(self.clock, CLAIM, BATCH)
        await self._tell(deliveries, name=_identity, events=of_timeline, note=self.untold.deliveries_told)
        notifications = await self.untold.notifications(self.clock, CLAIM, BATCH)
        if notifications:
            progress = await self.untold.progress([one["_id"] for one in notifications])
            await self._tell(
                notifications,
                name=_identity,
                events=lambda one: self._of_notification(one, progress.get(one["_id"], {})),
                note=self.untold.notifications_told,
            )
        return BATCH in {len(deliveries), len(notifications)}

    async def _tell(
        self,
        untold: Sequence[T],
        *,
        name: Callable[[T], str],
        events: Callable[[T], Sequence[Event]],
        note: Callable[[Sequence[T]], Awaitable[None]],
    ) -> None:
        """Tell the events of all of these and note what was told, some at a time; one by one where that fails, so that
        one that cannot be told keeps no other from it.

        Raises `Transient` when RabbitMQ is away, or takes not even two single ones in a row.
        """

        async def tell(some: Sequence[T]) -> None:
            told = [event for one in some for event in events(one)]
            await self.subscribers.tell(told)
            self.metrics.announced.inc(len(told))
            await note(some)

        for chunk in (untold[start : start + CHUNK] for start in range(0, len(untold), CHUNK)):
            try:
                await tell(chunk)
            except Exception as error:
                if isinstance(error, Transient) and (len(chunk) == 1 or not self.subscribers.reachable):
                    raise
                await self._one_by_one(chunk, name, tell)

    async def _one_by_one(
        self, chunk: Sequence[T], name: Callable[[T], str], tell: Callable[[Sequence[T]], Awaitable[None]]
    ) -> None:
        missed = False
        for one in chunk:
            try:
                await tell([one])
                missed = False
            except Exception as error:
                known = None if isinstance(error, Transient) else error
                log.error("announcement.not_told", of=name(one), error=str(error), exc_info=known)  # noqa: TRY400 - an outage has no traceback worth reading
                if isinstance(error, Transient) and (missed or not self.subscribers.reachable):
                    raise
                missed = isinstance(error, Transient)

    async def _told(self, batch: Sequence[tuple[DeliveryChanged, bool]]) -> None:
        await self.untold.told([event for event, alone in batch if alone])

    def _of_notification(self, one: NotificationDocument, deliveries: dict[str, int]) -> list[NotificationChanged]:
        now = self.clock.now()
        return [
            _NOTIFICATIONS[status](
                event_id=f"{one['_id']}.{status}",
                occurred_at=now,
                notification_id=one["_id"],
                type=one["type"],
                recipients=one["recipients"],
                deliveries=deliveries,
            ).belonging_to(one.get("traceparent"))
            for status in one.get("untold", ())
        ]


def _identity(document: DeliveryDocument | NotificationDocument) -> str:
    return document["_id"]
