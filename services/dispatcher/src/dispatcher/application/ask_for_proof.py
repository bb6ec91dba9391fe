"""While a delivery waits for proof, have its provider asked what became of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.contracts.documents import DeliveryDocument
from common.contracts.events import DoubtedAttempt, EnquiriesRequested
from dispatcher.application.lookout import Lookout
from dispatcher.domain.proof import doubted, is_last, next_enquiry

BATCH = 50


class Doubts(Protocol):
    async def doubted(self, now: datetime, limit: int) -> list[DeliveryDocument]:
        """Deliveries that wait for proof and whose provider is to be asked now."""
        ...

    async def ask_again(self, moments: Iterable[tuple[DeliveryDocument, datetime]]) -> None:
        """Say when each is asked about next."""
        ...


class Enquirers(Protocol):
    async def enquire(self, enquiries: EnquiriesRequested) -> None:
        """Raises `Transient` when RabbitMQ does not take it."""
        ...

    @property
    def reachable(self) -> bool: ...


@dataclass(frozen=True)
class AskForProof:
    """The policy's time is not touched: whoever does not answer in time has not answered."""

    doubts: Doubts
    enquirers: Enquirers
    lookout: Lookout

    async def __call__(self) -> bool:
        """`True` while there may be more."""
        if not self.enquirers.reachable:
            return False
        now = self.lookout.now()
        waiting = await self.doubts.doubted(now, BATCH)
        if not waiting:
            return False
        asked: defaultdict[tuple[str, bool, datetime], list[DoubtedAttempt]] = defaultdict(list)
        for delivery in waiting:
            wake_at = delivery["wake_at"]
            for provider, attempt in doubted(delivery):
                asked[provider, is_last(wake_at, now), wake_at].append(attempt)
        for (provider, last, deadline), attempts in asked.items():
            await self.enquirers.enquire(
                EnquiriesRequested(provider=provider, deadline=deadline, attempts=attempts, last=last)
            )
        await self.doubts.ask_again((one, next_enquiry(one["wake_at"], now)) for one in waiting)
        return len(waiting) == BATCH
