"""Tell others what became of deliveries and notifications: at once what this process wrote, later what a crash left."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from common.contracts.documents import DeliveryDocument, NotificationDocument
from common.contracts.event import Event
from common.contracts.events import DeliveryChanged, NotificationCancelled, NotificationChanged, NotificationPlanned
from common.contracts.vocabulary import NotificationStatus
from common.kernel.clock import Clock
from common.telemetry.logs import logger
from dispatcher.domain.announcements import of_timeline
from dispatcher.metrics import Metrics

BATCH = 500
MOST_WAITING = 20_000
"""Told later by the sweeper when more come than RabbitMQ takes, so that its absence costs bounded memory."""
CLAIM = timedelta(seconds=10)
"""How long one sweeper has what it found for itself."""
_NOTIFICATIONS: dict[str, type[NotificationChanged]] = {
    NotificationStatus.PLANNED: NotificationPlanned,
    NotificationStatus.CANCELLED: NotificationCancelled,
}
log = logger()


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
        await self._tell([event for event, _ in batch])
        await self.untold.told([event for event, alone in batch if alone])
        return True

    async def overdue(self) -> bool:
        """Tell what nobody told in time; `True` while there may be more."""
        if not self.subscribers.reachable:
            return False
        deliveries = await self.untold.deliveries(self.clock, CLAIM, BATCH)
        if deliveries:
            await self._tell([event for delivery in deliveries for event in of_timeline(delivery)])
            await self.untold.deliveries_told(deliveries)
        notifications = await self.untold.notifications(self.clock, CLAIM, BATCH)
        if notifications:
            await self._tell(await self._of_notifications(notifications))
            await self.untold.notifications_told(notifications)
        return BATCH in {len(deliveries), len(notifications)}

    async def _tell(self, events: Sequence[Event]) -> None:
        await self.subscribers.tell(events)
        self.metrics.announced.inc(len(events))

    async def _of_notifications(self, notifications: Sequence[NotificationDocument]) -> list[NotificationChanged]:
        progress = await self.untold.progress([one["_id"] for one in notifications])
        now = self.clock.now()
        return [
            _NOTIFICATIONS[status](
                event_id=f"{one['_id']}.{status}",
                occurred_at=now,
                notification_id=one["_id"],
                type=one["type"],
                recipients=one["recipients"],
                deliveries=progress.get(one["_id"], {}),
            )
            for one in notifications
            for status in one.get("untold", ())
        ]
