"""What became of a delivery, in a sentence for somebody who was asked."""

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import DeliveryStatus as Status

_BECAME = {
    Status.SCHEDULED: "It has not gone out yet, as its time has not come",
    Status.QUEUED: "It has not gone out yet and waits its turn",
    Status.SENDING: "It is being sent, or its provider has not told what became of it so far",
    Status.SENT: "Its provider took it and has not reported so far that it arrived",
    Status.DELIVERED: "It arrived. Nobody has reported that it was read",
    Status.READ: "It arrived and was read",
    Status.FAILED: "Nobody got it: every try failed",
    Status.CANCELLED: "It was called off before anybody took it",
    Status.EXPIRED: "Its validity ended before anybody took it",
    Status.SUPPRESSED: "It was held back on purpose",
    Status.UNKNOWN: "Nobody knows: its provider took the request and never told. Somebody has to decide",
}
_HAS_A_REASON = {Status.FAILED, Status.CANCELLED, Status.EXPIRED, Status.SUPPRESSED}


def verdict(delivery: DeliveryDocument) -> str:
    status = Status(delivery["status"])
    reason = f" ({delivery['reason']})" if status in _HAS_A_REASON and delivery["reason"] else ""
    return f"{_BECAME[status]}{reason}."
