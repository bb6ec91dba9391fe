"""Whether somebody was told the same already."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.contracts.documents import DeliveryDocument, NotificationDocument
from common.contracts.vocabulary import DeliveryStatus

NOT_TOLD = frozenset({
    DeliveryStatus.FAILED, DeliveryStatus.CANCELLED, DeliveryStatus.EXPIRED, DeliveryStatus.SUPPRESSED,
})  # fmt: skip
"""What ended so has told nobody anything, and keeps nobody from being told."""


@dataclass(frozen=True)
class OnlyOnce:
    """What a delivery wants to tell somebody, under a `key` that is the same for the same; nobody else has told it
    since `since`, and nobody else is to tell it until `until`.
    """

    key: str
    delivery_id: str
    at: datetime
    since: datetime
    until: datetime


def only_once(notification: NotificationDocument, delivery: DeliveryDocument, now: datetime) -> OnlyOnce | None:
    """`None` when it may be told as often as one likes."""
    window = timedelta(seconds=notification.get("dedupe_seconds") or 0.0)
    if not window:
        return None
    about = (notification.get("subject"), notification.get("stage"))
    same = [notification["type"], *(part or "" for part in about), delivery["recipient"], delivery["channel"]]
    key = hashlib.blake2b("\x1f".join(same).encode(), digest_size=16).hexdigest()
    at = max(now, notification["send_at"] or now)
    return OnlyOnce(key, delivery["_id"], at, at - window, at + window)
