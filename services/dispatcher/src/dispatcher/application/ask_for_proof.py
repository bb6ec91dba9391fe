"""While a delivery waits for proof, have its provider asked what became of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.contracts.documents import DeliveryDocument
from common.contracts.events import DoubtedAttempt, EnquiriesRequested
from dispatcher.application.lookout import Lookout
from dispatcher.domain.proof import claimed_until, doubted, is_last, next_enquiry

BATCH = 50


class Doubts(Protocol):
    async def doubted(self, now: datetime, limit: int) -> list[DeliveryDocument]:
        """Deliveries that wait for proof and whose provider is to be asked now."""
        ...

    async def claim_doubted(self, moments: Iterable[tuple[DeliveryDocument, datetime]]) -> list[DeliveryDocument]:
        """Say until when each is ours to ask about; those nobody else claimed first, as they are now."""
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
        mine = await self.doubts.claim_doubted((one, claimed_until(one["wake_at"], now)) for one in waiting)
        # What ends here is asked about by whoever comes once the claim is over.
        for enquiries in _enquiries(mine, now):
            await self.enquirers.enquire(enquiries)
        if mine:
            await self.doubts.ask_again((one, next_enquiry(one["wake_at"], now)) for one in mine)
        return len(waiting) == BATCH


def _enquiries(deliveries: Iterable[DeliveryDocument], now: datetime) -> Iterable[EnquiriesRequested]:
    """Last ones apart from the others, and by their deadline."""
    asked: defaultdict[tuple[str, bool, datetime | None], list[DoubtedAttempt]] = defaultdict(list)
    soonest: dict[tuple[str, bool, datetime | None], datetime] = {}
    for delivery in deliveries:
        wake_at, last = delivery["wake_at"], is_last(delivery["wake_at"], now)
        for provider, attempt in doubted(delivery):
            key = provider, last, wake_at if last else None
            asked[key].append(attempt)
            soonest[key] = min(wake_at, soonest.get(key, wake_at))
    for key in sorted(asked, key=lambda key: not key[1]):
        provider, last, _ = key
        yield EnquiriesRequested(provider=provider, deadline=soonest[key], attempts=asked[key], last=last)
