"""Caps on what one person gets, whoever sends it; off unless configured."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import DeliveryStatus
from common.mongo.gate import Limits, Wait
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Gate
from dispatcher.domain.change import Change


@dataclass(frozen=True)
class RecipientCaps:
    """Lets deliveries through as long as their recipients' caps allow; the others wait outside the lane, at no cost."""

    limits: Limits
    gate: Gate
    deliveries: Deliveries
    lookout: Lookout

    async def allow(self, claimed: Sequence[DeliveryDocument]) -> list[DeliveryDocument]:
        """Those that may go now; the claim of the others is undone and they are given the time to line up again."""
        if self.limits.unlimited:
            return list(claimed)
        allowed = []
        capped = []
        for delivery in claimed:
            answer = await self.gate.grant(delivery["recipient"], self.limits)
            if isinstance(answer, Wait):
                capped.append((delivery, _later(delivery, answer)))
            else:
                allowed.append(delivery)
        if capped:
            await self.deliveries.save(capped, self.lookout.now())
        return allowed


def _later(delivery: DeliveryDocument, wait: Wait) -> Change:
    """As if nobody had claimed it, outside the lane."""
    return Change(
        DeliveryStatus.QUEUED,
        f"the recipient's {wait.window} cap is reached",
        wake_at=min(wait.until, delivery["expires_at"]),
        fields={"attempts_made": delivery["attempts_made"] - 1},
    )
