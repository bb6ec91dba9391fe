"""Store what is planned, and take it back when its notification is cancelled."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import WAITING, DeliveryStatus
from common.telemetry.logs import logger
from dispatcher.application.compose_deliveries import Composed, ComposeDeliveries
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Notifications, PlannedDeliveries
from dispatcher.metrics import Metrics

log = logger()


@dataclass(frozen=True)
class StoreDeliveries:
    notifications: Notifications
    deliveries: PlannedDeliveries
    compose: ComposeDeliveries
    lookout: Lookout
    metrics: Metrics

    async def take_back(self, ids: Sequence[str]) -> set[str]:
        """Cancel what was planned of notifications somebody has cancelled; answers which these are."""
        cancelled = await self.notifications.cancelled(ids)
        if cancelled:
            ended = await self.deliveries.cancel(cancelled, self.lookout.now())
            self.metrics.settled.labels(DeliveryStatus.CANCELLED).inc(ended)
        return set(cancelled)

    async def add(self, composed: Composed) -> None:
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
