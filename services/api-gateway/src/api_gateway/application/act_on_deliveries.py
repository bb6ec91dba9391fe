"""Cancel, retry and discard deliveries, one or many."""

from collections.abc import Sequence
from dataclasses import dataclass

from api_gateway.application.ports import Deliveries, Selection
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Conflicting, missing
from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import DeliveryStatus
from common.kernel.clock import Clock

CANCELLABLE = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.SCHEDULED})
CALLED_BACK = frozenset({DeliveryStatus.CANCELLED, DeliveryStatus.UNKNOWN})
RETRYABLE = frozenset({DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN, DeliveryStatus.EXPIRED, DeliveryStatus.CANCELLED})
DEAD = (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)
AGAIN = 3
"""How often an act is tried when the delivery changes under it."""


@dataclass(frozen=True)
class ActOnDeliveries:
    deliveries: Deliveries
    clock: Clock

    async def cancel(self, delivery_id: str, caller: Caller) -> DeliveryDocument:
        """It ends as cancelled, or as unknown when one of its attempts may have arrived.

        Raises `Missing`, or `Conflicting` when it does not wait any more.
        """
        found = await self._get(delivery_id)
        cause = f"cancelled by {caller.subject}"
        if found["status"] in CANCELLABLE:
            await self.deliveries.cancel([delivery_id], reason=cause, cause=cause, now=self.clock.now())
            found = await self._get(delivery_id)
        if found["status"] not in CALLED_BACK or found["timeline"][-1]["cause"] != cause:
            raise _conflict("cancelled", found, "only scheduled and queued deliveries can be")
        return found

    async def retry(self, delivery_id: str, caller: Caller) -> DeliveryDocument:
        """Raises `Missing`, or `Conflicting` when it has not ended without success."""
        found = await self._get(delivery_id)
        for _ in range(AGAIN):
            if found["status"] not in RETRYABLE or not found["route"] or "contents_removed_at" in found:
                break
            if await self.deliveries.line_up_again([found], cause=_retried(caller), now=self.clock.now()):
                return await self._get(delivery_id)
            found = await self._get(delivery_id)
        rule = f"only {', '.join(sorted(RETRYABLE))} deliveries that some provider can carry can be"
        if "contents_removed_at" in found:
            rule = f"its contents were removed on {found['contents_removed_at']:%Y-%m-%d}"
        raise _conflict("retried", found, rule)

    async def retry_dead(self, ids: Sequence[str], caller: Caller) -> int:
        """Line up those of them that are dead and that some provider can carry; how many were."""
        retried = 0
        for delivery_id in ids:
            page = await self.deliveries.page(Selection(DEAD, delivery_id=delivery_id, limit=1))
            carried = [delivery for delivery in page if delivery["route"]]
            retried += await self.deliveries.line_up_again(carried, cause=_retried(caller), now=self.clock.now())
        return retried

    async def discard(self, ids: Sequence[str], caller: Caller) -> int:
        """Take those of them that are dead out of the list; how many were. Their outcome stays what it is."""
        return await self.deliveries.discard(ids, cause=f"discarded by {caller.subject}", now=self.clock.now())

    async def _get(self, delivery_id: str) -> DeliveryDocument:
        found = await self.deliveries.get(delivery_id)
        if found is None:
            raise missing("delivery", delivery_id)
        return found


def _retried(caller: Caller) -> str:
    return f"retried by {caller.subject}"


def _conflict(what: str, found: DeliveryDocument, rule: str) -> Conflicting:
    status = found["status"]
    return Conflicting(
        Code.CONFLICT, f"the delivery is {status} and cannot be {what}; {rule}", details={"status": status}
    )
