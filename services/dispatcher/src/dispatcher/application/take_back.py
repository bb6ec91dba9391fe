"""Undo a claim that led to no attempt, whoever changes its deliveries meanwhile."""

from collections.abc import Callable, Sequence
from datetime import datetime

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import AttemptState
from dispatcher.application.ports import Deliveries
from dispatcher.application.tell_end import tell_ends
from dispatcher.domain.change import Change
from dispatcher.metrics import Metrics


async def take_back(
    deliveries: Deliveries,
    claimed: Sequence[DeliveryDocument],
    change_of: Callable[[DeliveryDocument], Change],
    *,
    claim: str,
    now: datetime,
    metrics: Metrics,
) -> list[tuple[DeliveryDocument, Change]]:
    """Answers what was changed. What somebody else changed is looked at again, as long as its attempt is still this
    claim's and not taken: left alone it would wait for the attempt's deadline as if a gateway had been asked.
    """
    saved: list[tuple[DeliveryDocument, Change]] = []
    while claimed:
        changes = [(delivery, change_of(delivery)) for delivery in claimed]
        conflicting = set(await deliveries.save(changes, now))
        tell_ends(changes, conflicting, now=now, metrics=metrics)
        saved += [(delivery, change) for delivery, change in changes if delivery["_id"] not in conflicting]
        claimed = await untaken(deliveries, sorted(conflicting), claim) if conflicting else []
    return saved


async def untaken(deliveries: Deliveries, ids: Sequence[str], claim: str) -> list[DeliveryDocument]:
    """Those of these deliveries, as they are now, whose attempt is this claim's and not taken by a gateway."""
    return [one for one in await deliveries.read(ids) if _is_untaken(one, claim)]


def _is_untaken(delivery: DeliveryDocument, claim: str) -> bool:
    attempt = delivery["attempt"]
    return attempt is not None and attempt["claim"] == claim and attempt["state"] == AttemptState.REQUESTED
