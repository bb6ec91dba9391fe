"""Turn accepted notifications into deliveries."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.contracts.documents import INLINE_AUDIENCE, DeliveryDocument, NotificationDocument
from common.contracts.vocabulary import WAITING, DeliveryStatus, NotificationStatus
from common.telemetry.logs import logger
from dispatcher.application.compose_deliveries import Composed, ComposeDeliveries, nothing
from dispatcher.application.find_audience import FindAudience, Page, is_large
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Notifications
from dispatcher.domain.audience import named
from dispatcher.metrics import Metrics

PAGE_SECONDS = 30
"""How long one page may take before a sweeper takes the planning over where it stopped."""
OVERDUE_BATCH = 100
log = logger()


@dataclass(frozen=True)
class PlanNotifications:
    """Plan many small notifications with a few writes, a large one page by page in constant memory.

    Deliveries have the same identities however often they are planned, so a crash anywhere is mended by planning
    again from the last page noted.
    """

    notifications: Notifications
    deliveries: Deliveries
    find: FindAudience
    compose: ComposeDeliveries
    lookout: Lookout
    metrics: Metrics
    stopping: Callable[[], bool]

    async def __call__(self, ids: Sequence[str]) -> None:
        await self.lookout.known()
        large = await self._plan_small(ids)
        unfinished = {notification["_id"] for notification in large if not await self._plan_pages(notification)}
        # Also what a planner that died had added to one cancelled meanwhile: its envelope has come again.
        cancelled = await self._take_back(ids)
        if cancelled - unfinished:
            await self.notifications.closed(sorted(cancelled - unfinished))

    async def overdue(self) -> bool:
        """Plan what a lost envelope or a crash left behind; `True` while there may be more."""
        ids = await self.notifications.overdue(self.lookout.now(), OVERDUE_BATCH)
        if not ids:
            return False
        try:
            await self(ids)
        except Exception as error:  # one that cannot be planned must not keep the others from it
            log.warning("notifications.not_planned", count=len(ids), exc_info=error)
            await self._one_by_one(ids)
        return len(ids) == OVERDUE_BATCH

    async def _one_by_one(self, ids: Sequence[str]) -> None:
        for identity in ids:
            try:
                await self([identity])
            except Exception as error:
                log.error("notification.not_planned", notification_id=identity, exc_info=error)  # noqa: TRY400 - the error is given
                await self.notifications.postpone([identity], self._later())

    async def _plan_small(self, ids: Sequence[str]) -> list[NotificationDocument]:
        """Plan those that carry their audience, many with a few writes; answers the large ones."""
        batch = nothing()
        planned: list[str] = []
        large = []
        async for notification in self.notifications.accepted(ids):
            if is_large(notification):
                large.append(notification)
                continue
            batch.add(await self.compose(notification, named(notification["audience"]), first=0))
            planned.append(notification["_id"])
            if len(batch.deliveries) >= INLINE_AUDIENCE:
                await self._settle(planned, batch)
                planned, batch = [], nothing()
        if planned:
            await self._settle(planned, batch)
        return large

    async def _plan_pages(self, notification: NotificationDocument) -> bool:
        """Whether all of its pages are planned; when it is cancelled meanwhile, the rest of them as cancelled.

        While one page is stored the next one is made.
        """
        identity = notification["_id"]
        storing: asyncio.Task[bool] | None = None
        try:
            async with aclosing(self.find(notification)) as pages:
                async for page in pages:
                    composed = await self.compose(notification, page.addressees, first=page.first)
                    if storing is not None and await storing:
                        notification = {**notification, "status": NotificationStatus.CANCELLED}
                        composed = await self.compose(notification, page.addressees, first=page.first)
                    storing = None
                    if self.stopping():
                        # Whoever looks next carries on from here.
                        await self.notifications.postpone([identity], self.lookout.now())
                        return False
                    storing = asyncio.create_task(self._store(notification, page, composed))
            if storing is not None:
                await storing
        finally:
            if storing is not None and not storing.done():
                storing.cancel()
                await asyncio.gather(storing, return_exceptions=True)
        await self._finish(notification)
        return True

    async def _store(self, notification: NotificationDocument, page: Page, composed: Composed) -> bool:
        """Store a page and note it; whether its notification has just been found to be cancelled."""
        identity = notification["_id"]
        await self._add(composed)
        await self.notifications.page_planned(identity, page.number + 1, self._later(), last=page.last)
        return notification["status"] != NotificationStatus.CANCELLED and bool(await self._take_back([identity]))

    async def _finish(self, notification: NotificationDocument) -> None:
        identity = notification["_id"]
        if "audience_query" in notification:
            await self.notifications.found(identity, await self.deliveries.count(identity))
        self.metrics.planned.inc(await self.notifications.planned([identity]))
        log.info("notification.planned", notification_id=identity)

    async def _settle(self, ids: Sequence[str], batch: Composed) -> None:
        await self._add(batch)
        self.metrics.planned.inc(await self.notifications.planned(ids))

    async def _take_back(self, ids: Sequence[str]) -> set[str]:
        """Cancel what was planned of notifications somebody has cancelled; answers which these are."""
        cancelled = await self.notifications.cancelled(ids)
        if cancelled:
            ended = await self.deliveries.cancel(cancelled, self.lookout.now())
            self.metrics.settled.labels(DeliveryStatus.CANCELLED).inc(ended)
        return set(cancelled)

    async def _add(self, composed: Composed) -> None:
        """Those of them that are new are counted: of what is planned once more after a crash most was before."""
        batch = await self.compose.keep_back(composed)
        if not batch:
            return
        there = await self.deliveries.add(batch)
        new = [delivery for delivery in batch if delivery["_id"] not in there]
        self.metrics.deliveries_planned.inc(len(new))
        self._count(new)
        self.lookout.poke()

    def _count(self, new: Sequence[DeliveryDocument]) -> None:
        by_outcome = Counter((delivery["status"], delivery["code"]) for delivery in new)
        for (status, code), count in by_outcome.items():
            if status not in WAITING:
                self.metrics.settled.labels(status).inc(count)
                log.info("deliveries.not_to_be_sent", status=status, code=code, count=count)

    def _later(self) -> datetime:
        return self.lookout.now() + timedelta(seconds=PAGE_SECONDS)
