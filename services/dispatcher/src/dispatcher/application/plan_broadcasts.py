"""Plan large notifications, one after the other, beside everything else."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.contracts.documents import NotificationDocument
from common.contracts.vocabulary import NotificationStatus
from common.kernel.identity import new_id
from common.telemetry import tracing
from common.telemetry.logs import logger
from dispatcher.application.compose_deliveries import Composed, ComposeDeliveries
from dispatcher.application.find_audience import FindAudience, Page
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Notifications, PlannedDeliveries
from dispatcher.application.store_deliveries import StoreDeliveries
from dispatcher.metrics import Metrics

PAGE_SECONDS = 10
"""How long one page may take before somebody else plans on from where the last one ended."""
log = logger()


class LostLeaseError(Exception):
    """Somebody else plans it by now."""


@dataclass(frozen=True)
class PlanBroadcasts:
    """Plan a large notification page by page in constant memory, under a lease that each page renews.

    Only who has the lease adds to it or says that it is complete: of an audience looked for in the directory two
    planners would not find the same. A crash is mended by planning again from the last page noted.
    """

    notifications: Notifications
    deliveries: PlannedDeliveries
    store: StoreDeliveries
    find: FindAudience
    compose: ComposeDeliveries
    lookout: Lookout
    metrics: Metrics
    stopping: Callable[[], bool]
    turn: asyncio.Lock

    async def __call__(self) -> bool:
        """Plan the one that has waited longest; `True` while there may be more."""
        await self.lookout.known()
        async with self.turn:
            if self.stopping():
                return False
            lease = new_id("pln")
            notification = await self.notifications.lease(lease, self.lookout.now(), self._later())
            if notification is None:
                return False
            await self._plan(notification, lease)
        return True

    async def drain(self) -> None:
        """Wait until the page at hand is stored; the process is stopping, so no other is begun."""
        async with self.turn:
            pass

    async def _plan(self, notification: NotificationDocument, lease: str) -> None:
        identity = notification["_id"]
        try:
            if await self._plan_pages(notification, lease):
                await self._finish(notification, lease)
            else:  # whoever looks next carries on from here
                await self.notifications.release(identity, lease, self.lookout.now())
        except LostLeaseError:
            log.warning("notification.planned_elsewhere", notification_id=identity)
            await self.store.take_back([identity])
        except Exception as error:  # one that cannot be planned must not keep the others from it
            log.error("notification.not_planned", notification_id=identity, exc_info=error)  # noqa: TRY400 - the error is given
            await self.notifications.release(identity, lease, self._later())

    async def _plan_pages(self, notification: NotificationDocument, lease: str) -> bool:
        """Whether all of its pages are planned; when it is cancelled meanwhile, the rest of them as cancelled.

        While one page is stored the next one is made.
        """
        texts = await self.compose.texts(notification)
        storing: asyncio.Task[bool] | None = None
        try:
            async with aclosing(self.find(notification)) as pages:
                async for page in pages:
                    composed = await self.compose(notification, page.addressees, texts, first=page.first)
                    if storing is not None and await storing:
                        notification = {**notification, "status": NotificationStatus.CANCELLED}
                        composed = await self.compose(notification, page.addressees, texts, first=page.first)
                    storing = None
                    if self.stopping():
                        return False
                    storing = asyncio.create_task(self._store(notification, page, composed, lease))
            if storing is not None:
                await storing
        finally:
            if storing is not None and not storing.done():
                storing.cancel()
                await asyncio.gather(storing, return_exceptions=True)
        return True

    async def _store(self, notification: NotificationDocument, page: Page, composed: Composed, lease: str) -> bool:
        """Store a page and note it; whether its notification has just been found to be cancelled."""
        identity = notification["_id"]
        with tracing.span("plan page", tracing.of(notification), notification_id=identity, page=page.number):
            await self.store.add(composed)
        status = await self.notifications.page_planned(identity, lease, page.number + 1, self._later(), last=page.last)
        if status is None:
            raise LostLeaseError
        found = status is NotificationStatus.CANCELLED and notification["status"] != status
        if found:
            await self.store.take_back([identity])
        return found

    async def _finish(self, notification: NotificationDocument, lease: str) -> None:
        identity = notification["_id"]
        found = await self.deliveries.count(identity) if "audience_query" in notification else None
        if await self.notifications.completed(identity, lease, found):
            self.metrics.planned.inc()
            log.info("notification.planned", notification_id=identity)
        elif await self.store.take_back([identity]):
            await self.notifications.closed([identity], lease=lease, found=found)

    def _later(self) -> datetime:
        return self.lookout.now() + timedelta(seconds=PAGE_SECONDS)
