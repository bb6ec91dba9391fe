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

    async def allow(self, heads: Sequence[DeliveryDocument]) -> list[DeliveryDocument]:
        """Those that may go now; the others are given the time at which to line up again."""
        if self.limits.unlimited:
            return list(heads)
        allowed = []
        capped = []
        for head in heads:
            answer = await self.gate.grant(head["recipient"], self.limits)
            if isinstance(answer, Wait):
                until = min(answer.until, head["expires_at"])
                cause = f"the recipient's {answer.window} cap is reached"
                capped.append((head, Change(DeliveryStatus.QUEUED, cause, wake_at=until)))
            else:
                allowed.append(head)
        if capped:
            await self.deliveries.save(capped, self.lookout.now())
        return allowed
