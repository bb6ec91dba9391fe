"""Turn accepted notifications into deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.contracts.documents import INLINE_AUDIENCE
from common.telemetry import tracing
from common.telemetry.logs import logger
from dispatcher.application.compose_deliveries import Composed, ComposeDeliveries, nothing
from dispatcher.application.find_audience import is_large
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Notifications
from dispatcher.application.store_deliveries import StoreDeliveries
from dispatcher.domain.audience import named
from dispatcher.metrics import Metrics

AGAIN_SECONDS = 30
"""What cannot be planned is tried again after this long."""
OVERDUE_BATCH = 100
log = logger()


@dataclass(frozen=True)
class PlanNotifications:
    """Plan many small notifications with a few writes; the large ones are left to `PlanBroadcasts`.

    Deliveries have the same identities however often they are planned, so a crash anywhere is mended by planning
    again.
    """

    notifications: Notifications
    store: StoreDeliveries
    compose: ComposeDeliveries
    lookout: Lookout
    metrics: Metrics

    async def __call__(self, ids: Sequence[str]) -> None:
        await self.lookout.known()
        large = await self._plan_small(ids)
        if large:
            await self.notifications.hasten(large, self.lookout.now())
        # Also what a planner that died had added to one cancelled meanwhile: its envelope has come again.
        small = await self.store.take_back(ids) - set(large)
        if small:
            await self.notifications.closed(sorted(small))

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

    async def _plan_small(self, ids: Sequence[str]) -> list[str]:
        """Plan those that carry their audience, many with a few writes; answers which are large."""
        batch = nothing()
        planned: dict[str, tracing.Span] = {}
        large = []
        async for notification in self.notifications.accepted(ids):
            if is_large(notification):
                large.append(notification["_id"])
                continue
            span = tracing.begin("plan notification", tracing.of(notification), kind=tracing.Kind.CONSUMER)
            span.note(notification_id=notification["_id"], deliveries=notification["recipients"])
            texts = await self.compose.texts(notification)
            batch.add(await self.compose(notification, named(notification["audience"]), texts, first=0))
            planned[notification["_id"]] = span
            if len(batch.deliveries) >= INLINE_AUDIENCE:
                await self._settle(planned, batch)
                planned, batch = {}, nothing()
        if planned:
            await self._settle(planned, batch)
        return large

    async def _settle(self, planned: Mapping[str, tracing.Span], batch: Composed) -> None:
        await self.store.add(batch)
        self.metrics.planned.inc(await self.notifications.planned(list(planned)))
        for span in planned.values():
            span.end()

    def _later(self) -> datetime:
        return self.lookout.now() + timedelta(seconds=AGAIN_SECONDS)
