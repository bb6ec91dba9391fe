"""Deliveries put into the database as the dispatcher would leave them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from common.contracts.vocabulary import WAITING, DeliveryStatus, NotificationStatus, Priority
from common.kernel.identity import delivery_id, new_id

Document = dict[str, Any]
DEAD = (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)


def stored_notification(**changes: Any) -> Document:
    """A planned notification to one recipient."""
    now = datetime.now(UTC).replace(microsecond=0)
    fields: Document = {
        "_id": new_id("ntf"),
        "type": "custom",
        "channels": ["whatsapp"],
        "priority": "normal",
        "message": "hai",
        "data": None,
        "audience": [{"to": "6281200000001"}],
        "pages": 0,
        "planned_pages": 0,
        "recipients": 1,
        "rejected": 0,
        "providers": ["fonnte", "wablas"],
        "direct": False,
        "on_unknown": "resend",
        "unknown_wait_seconds": 60.0,
        "send_at": None,
        "expires_at": now + timedelta(days=1),
        "validity_seconds": 86_400,
        "status": NotificationStatus.PLANNED,
        "estimated_finish": None,
        "created_by": "tester",
        "created_at": now,
    }
    return fields | changes


def stored_delivery(
    status: str = DeliveryStatus.QUEUED,
    *,
    notification: Document | None = None,
    to: str = "6281200000001",
    **changes: Any,
) -> Document:
    """A delivery in a status, with what belongs to it."""
    of = notification or stored_notification()
    now = of["created_at"]
    priority = str(changes.get("priority", of["priority"]))
    document: Document = {
        "_id": delivery_id(of["_id"], of["channels"][0], to),
        "notification_id": of["_id"],
        "type": of["type"],
        "channel": of["channels"][0],
        "recipient": to,
        "message": "hai",
        "template": None,
        "priority": priority,
        "rank": Priority(priority).rank,
        "status": str(status),
        "route": ["fonnte", "wablas"],
        "queued_at": now,
        "position": 0,
        "expires_at": of["expires_at"],
        "validity_seconds": of["validity_seconds"],
        "send_at": of["send_at"],
        "retries": 0,
        "on_unknown": of["on_unknown"],
        "unknown_wait_seconds": of["unknown_wait_seconds"],
        "direct": of["direct"],
        "failover": False,
        "possible_duplicate": False,
        "reason": None,
        "code": None,
        "attempt": None,
        "attempts_made": 0,
        "round_from": 0,
        "attempts": [],
        "timeline": [{"at": now, "status": str(status), "cause": "put there by a test"}],
        "accepted_at": now,
        "created_at": now,
        "sent_at": None,
        "revision": 0,
    }
    if status == DeliveryStatus.QUEUED:
        document["lane"] = "fonnte,wablas"
    if status in WAITING:
        document["wake_at"] = of["expires_at"]
    if status in DEAD and not {"discarded_at", "contents_removed_at"} & changes.keys():
        document["dead_at"] = now
    return document | changes


def past_attempt(number: int = 1, **changes: Any) -> Document:
    """An attempt that failed at Fonnte."""
    now = datetime.now(UTC).replace(microsecond=0)
    attempt: Mapping[str, Any] = {
        "number": number,
        "provider": "fonnte",
        "sender": "fonnte-1",
        "outcome": "failed",
        "code": "transport",
        "error": "no connection for 6281200000001",
        "provider_message_id": None,
        "started_at": now,
        "finished_at": now,
    }
    return {**attempt, **changes}


def stored_sender(name: str = "fonnte-1", **changes: Any) -> Document:
    """A sender whose gateway is alive for the next minutes."""
    alive = datetime.now(UTC) + timedelta(minutes=5)
    return {
        "_id": name,
        "provider": name.partition("-")[0],
        "max_text_chars": 4096,
        "gateway_seen_at": alive,
        **changes,
    }
