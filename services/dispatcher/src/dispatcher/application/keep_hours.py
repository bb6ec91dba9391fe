"""Have what is first in line outside of its hours wait until they begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from common.contracts.documents import DeliveryDocument
from common.telemetry.logs import logger
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries
from dispatcher.domain.hours import put_off
from dispatcher.metrics import Metrics

TOGETHER = 500
"""Put off with one write: at the end of the day a long line has to make way within seconds, not one by one."""
log = logger()


@dataclass(frozen=True)
class KeepHours:
    zone: tzinfo
    deliveries: Deliveries
    lookout: Lookout
    metrics: Metrics

    async def __call__(self, heads: Sequence[DeliveryDocument], at: datetime) -> list[DeliveryDocument]:
        """Those that may go at a moment; the others, and what stands behind the first of them, leave their lanes."""
        outside = [head for head in heads if put_off(head, at, self.zone) is not None]
        if not outside:
            return list(heads)
        line = {one["_id"]: one for one in (*outside, *await self.deliveries.following(outside[0], TOGETHER))}
        changes = [(one, change) for one in line.values() if (change := put_off(one, at, self.zone)) is not None]
        conflicting = await self.deliveries.save(changes, self.lookout.now())
        self.metrics.deferred.labels("quiet hours").inc(len(changes) - len(conflicting))
        log.info("deliveries.deferred", cause="quiet hours", count=len(changes) - len(conflicting))
        kept = {one["_id"] for one in outside}
        return [head for head in heads if head["_id"] not in kept]
