"""Send nothing that is not to go any more since it was planned: it is looked at once more right after its claim."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import OPTED_OUT
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Suppressions
from dispatcher.application.take_back import take_back
from dispatcher.domain.change import Change
from dispatcher.domain.rounds import cancelled, suppressed
from dispatcher.metrics import Metrics

Ending = Callable[[DeliveryDocument], Change]


class Objection(Protocol):
    """One reason why deliveries may have to end instead of going."""

    async def __call__(self, claimed: Sequence[DeliveryDocument]) -> Mapping[str, Ending]:
        """How those end that it holds back, by their identity."""
        ...


class Cancellations(Protocol):
    async def cancelled(self, ids: Sequence[str]) -> Sequence[str]:
        """Those of these notifications that somebody has cancelled."""
        ...


@dataclass(frozen=True)
class LookAgain:
    """What several object to ends as the first of them says."""

    objections: Sequence[Objection]
    deliveries: Deliveries
    lookout: Lookout
    metrics: Metrics

    async def __call__(self, claimed: Sequence[DeliveryDocument], claim: str) -> list[DeliveryDocument]:
        """Those that may go; the claim of the others ends them, and no attempt of theirs is counted."""
        endings: dict[str, Ending] = {}
        for objection in self.objections:
            endings = {**await objection(claimed), **endings}
        await take_back(
            self.deliveries,
            [delivery for delivery in claimed if delivery["_id"] in endings],
            lambda delivery: endings[delivery["_id"]](delivery).uncounted(delivery),
            claim=claim,
            now=self.lookout.now(),
            metrics=self.metrics,
        )
        return [delivery for delivery in claimed if delivery["_id"] not in endings]


@dataclass(frozen=True)
class NotificationCancelled:
    """Cancelling ends a hundred thousand in seconds; of those not ended yet, none goes."""

    notifications: Cancellations

    async def __call__(self, claimed: Sequence[DeliveryDocument]) -> Mapping[str, Ending]:
        # What a person wanted after all is only cancelled again by a person.
        asked = [delivery for delivery in claimed if "retried_at" not in delivery]
        ids = sorted({one["notification_id"] for one in asked})
        called_off = set(await self.notifications.cancelled(ids)) if ids else set()
        return {one["_id"]: cancelled for one in asked if one["notification_id"] in called_off}


@dataclass(frozen=True)
class OptedOut:
    """Who wants no more messages gets none, whenever it was planned."""

    suppressions: Suppressions

    async def __call__(self, claimed: Sequence[DeliveryDocument]) -> Mapping[str, Ending]:
        asked = [delivery for delivery in claimed if delivery.get("suppressible")]
        found = await self.suppressions.among({one["recipient"] for one in asked}) if asked else {}

        def ending(delivery: DeliveryDocument) -> Change:
            return suppressed(delivery, self.suppressions.why(found[delivery["recipient"]]), code=OPTED_OUT)

        return {one["_id"]: ending for one in asked if one["recipient"] in found}
