"""What is told to others of a delivery that reached a status."""

from datetime import datetime

from common.contracts.documents import DeliveryDocument, PastAttempt
from common.contracts.events import (
    DeliveryCancelled,
    DeliveryChanged,
    DeliveryDelivered,
    DeliveryExpired,
    DeliveryFailed,
    DeliveryRead,
    DeliverySent,
    DeliverySuppressed,
    DeliveryUnknown,
)
from common.contracts.vocabulary import WAITING, DeliveryStatus
from common.kernel.phone import mask, mask_in_text
from dispatcher.domain.change import Change

EVENTS: dict[str, type[DeliveryChanged]] = {
    DeliveryStatus.SENT: DeliverySent,
    DeliveryStatus.DELIVERED: DeliveryDelivered,
    DeliveryStatus.READ: DeliveryRead,
    DeliveryStatus.FAILED: DeliveryFailed,
    DeliveryStatus.CANCELLED: DeliveryCancelled,
    DeliveryStatus.EXPIRED: DeliveryExpired,
    DeliveryStatus.SUPPRESSED: DeliverySuppressed,
    DeliveryStatus.UNKNOWN: DeliveryUnknown,
}
"""Every status that is not waiting is told."""


def is_told(delivery: DeliveryDocument, change: Change) -> bool:
    """Whether a change brings a delivery to a status that others are told of."""
    return bool(change.cause) and change.status not in WAITING and change.status != delivery["status"]


def of_change(delivery: DeliveryDocument, change: Change, at: datetime) -> DeliveryChanged:
    """What a saved change made of a delivery, which is given as it was read before."""
    last = change.past or (delivery["attempts"][-1] if delivery["attempts"] else None)
    if change.amended_number is not None:
        last = next((one for one in delivery["attempts"] if one["number"] == change.amended_number), last)
    after: DeliveryDocument = {**delivery, **change.fields}  # type: ignore[typeddict-item]  # they are its fields
    return _event(after, change.status, version=delivery["revision"] + 1, at=at, attempt=last)


def of_planned(delivery: DeliveryDocument) -> DeliveryChanged:
    """What a delivery became the moment it was planned."""
    return _event(delivery, delivery["status"], version=0, at=delivery["timeline"][0]["at"], attempt=None)


def of_timeline(delivery: DeliveryDocument) -> list[DeliveryChanged]:
    """Everything that was ever to be told of a delivery, oldest first."""
    attempt = delivery["attempts"][-1] if delivery["attempts"] else None
    told = [(entry, entry["revision"]) for entry in delivery["timeline"] if "revision" in entry]
    return [
        _event(delivery, entry["status"], version=version, at=entry["at"], attempt=attempt) for entry, version in told
    ]


def _event(
    delivery: DeliveryDocument, status: str, *, version: int, at: datetime, attempt: PastAttempt | None
) -> DeliveryChanged:
    reason = delivery["reason"]
    return EVENTS[status](
        event_id=f"{delivery['_id']}.{version}",
        occurred_at=at,
        version=version,
        delivery_id=delivery["_id"],
        notification_id=delivery["notification_id"],
        type=delivery["type"],
        channel=delivery["channel"],
        recipient=mask(delivery["recipient"]),
        status=str(status),
        provider=None if attempt is None else attempt["provider"],
        sender=None if attempt is None else attempt["sender"],
        failover=delivery["failover"],
        possible_duplicate=delivery["possible_duplicate"],
        reason=None if reason is None else mask_in_text(reason),
        code=delivery["code"],
    ).belonging_to(delivery.get("traceparent"))
