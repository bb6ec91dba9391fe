"""What a delivery waits for, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api_gateway.application.capacity import why_not
from api_gateway.application.ports import Senders
from common.contracts.documents import DeliveryDocument, SenderDocument
from common.contracts.vocabulary import WAITING, AttemptState, DeliveryStatus
from common.kernel.clock import Clock
from common.mongo.gate import Limits, usage
from common.mongo.sender_limits import LimitsOf


@dataclass(frozen=True)
class SayWhatItWaitsFor:
    senders: Senders
    clock: Clock
    limits: LimitsOf

    async def __call__(self, delivery: DeliveryDocument) -> str | None:
        """`None` when it has ended."""
        if delivery["status"] not in WAITING:
            return None
        if "lane" not in delivery or delivery["status"] != DeliveryStatus.QUEUED:
            return without_a_lane(delivery)
        providers = delivery["lane"].split(",")
        senders = [sender for sender in await self.senders.all() if sender["provider"] in providers]
        return in_a_lane(senders, self.limits, self.clock.now())


def without_a_lane(delivery: DeliveryDocument) -> str:
    """It waits for a moment, or for the gateway and the provider of its attempt."""
    until = _at(delivery["wake_at"]) if "wake_at" in delivery else "soon"
    attempt = delivery["attempt"]
    if delivery["status"] == DeliveryStatus.SCHEDULED:
        hours = delivery.get("hours")
        if hours is None or delivery["send_at"] == delivery.get("wake_at"):
            return f"its time, {until}"
        return f"quiet hours until {hours['begins']}, {until}"
    if delivery["status"] == DeliveryStatus.QUEUED:
        return f"another try at {until}"
    if attempt is None:
        return f"proof of what became of it, until {until}"
    if attempt["state"] == AttemptState.REQUESTED:
        return f"{attempt['sender']}: the gateway to take it, until {until}"
    return f"{attempt['sender']}: the provider's answer, until {until}"


def in_a_lane(senders: Sequence[SenderDocument], limits: LimitsOf, now: datetime) -> str:
    """It waits for one of these senders."""
    said = [f"{sender['_id']}: {_of_sender(sender, limits(sender['provider']), now)}" for sender in senders]
    return "; ".join(said) or "a sender: none of its providers has one"


def _of_sender(sender: SenderDocument, limits: Limits, now: datetime) -> str:
    out = why_not(sender, now)
    if out is not None:
        return out
    full = [one for one in usage(sender.get("gate", {}), limits, now) if one.reset_at is not None]
    last = max(full, key=lambda one: one.reset_at or now, default=None)
    if last is None or last.reset_at is None:
        return "its turn"
    return f"{last.window} limit reached, free at {_at(last.reset_at)}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
