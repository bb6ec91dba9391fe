"""Send nothing to somebody who was suppressed after it was planned."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import OPTED_OUT
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Suppressions
from dispatcher.application.take_back import take_back
from dispatcher.domain.change import Change
from dispatcher.domain.rounds import suppressed
from dispatcher.metrics import Metrics


@dataclass(frozen=True)
class RespectOptOuts:
    suppressions: Suppressions
    deliveries: Deliveries
    lookout: Lookout
    metrics: Metrics

    async def __call__(self, claimed: Sequence[DeliveryDocument], claim: str) -> list[DeliveryDocument]:
        """Those that may go; the claim of the others ends them, and no attempt of theirs is counted."""
        asked = [delivery for delivery in claimed if delivery.get("suppressible")]
        found = await self.suppressions.among({one["recipient"] for one in asked}) if asked else {}
        ended = [delivery for delivery in asked if delivery["recipient"] in found]

        def change_of(delivery: DeliveryDocument) -> Change:
            reason = self.suppressions.why(found[delivery["recipient"]])
            return suppressed(delivery, reason, code=OPTED_OUT).uncounted(delivery)

        now = self.lookout.now()
        await take_back(self.deliveries, ended, change_of, claim=claim, now=now, metrics=self.metrics)
        kept_back = {delivery["_id"] for delivery in ended}
        return [delivery for delivery in claimed if delivery["_id"] not in kept_back]
