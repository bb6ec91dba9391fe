"""Caps on what one person gets, whoever sends it; off unless configured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import DeliveryStatus
from common.mongo.gate import Granted, Limits, Wait
from common.telemetry.logs import logger
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Gate
from dispatcher.application.take_back import take_back
from dispatcher.domain.change import Change
from dispatcher.domain.rounds import unless_called_off
from dispatcher.metrics import Metrics

log = logger()


@dataclass(frozen=True)
class Allowed:
    """Deliveries that may go now, and what was granted to those that asked for the first time."""

    deliveries: list[DeliveryDocument]
    granted: Mapping[str, Granted] = field(default_factory=dict)


@dataclass(frozen=True)
class RecipientCaps:
    """Lets deliveries through as long as their recipients' caps allow; the others wait outside the lane, at no cost.

    A delivery counts once, however many attempts it takes: what has begun is not stopped by its own cap.
    """

    limits: Limits
    gate: Gate
    deliveries: Deliveries
    lookout: Lookout
    metrics: Metrics

    async def allow(self, claimed: Sequence[DeliveryDocument], claim: str) -> Allowed:
        """Those that may go now; the claim of the others is undone and they are given the time to line up again."""
        if self.limits.unlimited:
            return Allowed(list(claimed))
        allowed = []
        granted = {}
        capped = []
        waits = {}
        for delivery in claimed:
            if delivery["attempts_made"] > 1:
                allowed.append(delivery)
                continue
            answer = await self.gate.grant(delivery["recipient"], self.limits)
            if isinstance(answer, Wait):
                capped.append(delivery)
                waits[delivery["_id"]] = answer
            else:
                allowed.append(delivery)
                granted[delivery["_id"]] = answer
        if capped:
            await take_back(self.deliveries, capped, lambda one: _later(one, waits[one["_id"]]), claim=claim,
                            now=self.lookout.now(), metrics=self.metrics)  # fmt: skip
            self.metrics.deferred.labels("recipient cap").inc(len(capped))
            log.info("deliveries.deferred", cause="recipient cap", count=len(capped))
        return Allowed(allowed, granted)

    async def give_back(self, allowed: Allowed, unused: Iterable[DeliveryDocument]) -> None:
        """Uncount those that were not sent after all."""
        for delivery in unused:
            granted = allowed.granted.get(delivery["_id"])
            if granted is not None:
                await self.gate.give_back(delivery["recipient"], granted)


def _later(delivery: DeliveryDocument, wait: Wait) -> Change:
    """As if nobody had claimed it, outside the lane."""
    until = min(wait.until, delivery["expires_at"])
    later = Change(DeliveryStatus.QUEUED, f"the recipient's {wait.window} cap is reached", wake_at=until)
    return (unless_called_off(delivery, later) or later).uncounted(delivery)
