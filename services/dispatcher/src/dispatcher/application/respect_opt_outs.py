"""Send nothing to somebody who was suppressed after it was planned."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import OPTED_OUT
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Suppressions
from dispatcher.application.tell_end import tell_ends
from dispatcher.domain.rounds import suppressed
from dispatcher.metrics import Metrics


@dataclass(frozen=True)
class RespectOptOuts:
    suppressions: Suppressions
    deliveries: Deliveries
    lookout: Lookout
    metrics: Metrics

    async def __call__(self, claimed: Sequence[DeliveryDocument]) -> list[DeliveryDocument]:
        """Those that may go; the claim of the others ends them, and no attempt of theirs is counted."""
        asked = [delivery for delivery in claimed if delivery.get("suppressible")]
        found = await self.suppressions.among({one["recipient"] for one in asked}) if asked else {}
        if not found:
            return list(claimed)
        now = self.lookout.now()
        changes = []
        for delivery in asked:
            suppression = found.get(delivery["recipient"])
            if suppression is not None:
                change = suppressed(delivery, self.suppressions.why(suppression), code=OPTED_OUT)
                changes.append((delivery, change.uncounted(delivery)))
        conflicting = await self.deliveries.save(changes, now)
        tell_ends(changes, conflicting, now=now, metrics=self.metrics)
        ended = {delivery["_id"] for delivery, _ in changes}
        return [delivery for delivery in claimed if delivery["_id"] not in ended]
