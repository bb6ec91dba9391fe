"""From a notification and a member of its audience to a delivery."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.contracts.documents import AudienceMember, DeliveryDocument, NotificationDocument
from common.contracts.vocabulary import DeliveryStatus, NotificationStatus, Priority
from common.kernel.identity import delivery_id
from dispatcher.domain.lanes import lane
from dispatcher.domain.rounds import CANCELLED


@dataclass(frozen=True)
class Refusal:
    """Why a delivery can never be sent."""

    code: str | None
    reason: str


CALLED_OFF = Refusal(None, CANCELLED)


def plan_delivery(
    notification: NotificationDocument,
    member: AudienceMember,
    *,
    position: int,
    text: str,
    template: str | None,
    route: list[str],
    refusal: Refusal | None,
    now: datetime,
) -> DeliveryDocument:
    """The delivery of a notification to one member; planning it twice gives the same identity.

    `route` holds the providers that can carry the text; a `refusal` ends the delivery as failed, visibly. Of a
    cancelled notification every delivery is cancelled: whoever was promised an outcome gets one.
    """
    send_at = notification["send_at"]
    scheduled = send_at is not None and send_at > now
    status = DeliveryStatus.FAILED if refusal else DeliveryStatus.SCHEDULED if scheduled else DeliveryStatus.QUEUED
    if notification["status"] == NotificationStatus.CANCELLED:
        status, refusal = DeliveryStatus.CANCELLED, CALLED_OFF
    cause = refusal.reason if refusal else _planned(notification, route)
    delivery: dict[str, Any] = {
        "_id": delivery_id(
            notification["_id"],
            notification["channel"],
            member["to"],
            text if "message" in member or "data" in member else "",
        ),
        "notification_id": notification["_id"],
        "type": notification["type"],
        "channel": notification["channel"],
        "recipient": member["to"],
        "message": text,
        "template": template,
        "priority": notification["priority"],
        "rank": 0 if notification["direct"] else Priority(notification["priority"]).rank,
        "status": status,
        "route": route,
        "queued_at": send_at if scheduled else notification["created_at"],
        "position": position,
        "expires_at": notification["expires_at"],
        "validity_seconds": notification["validity_seconds"],
        "send_at": send_at,
        "retries": 0,
        "on_unknown": notification["on_unknown"],
        "unknown_wait_seconds": notification["unknown_wait_seconds"],
        "direct": notification["direct"],
        "failover": False,
        "possible_duplicate": False,
        "reason": refusal.reason if refusal else None,
        "code": refusal.code if refusal else None,
        "attempt": None,
        "attempts_made": 0,
        "round_from": 0,
        "attempts": [],
        "timeline": [{"at": now, "status": status, "cause": cause}],
        "accepted_at": notification["created_at"],
        "created_at": now,
        "sent_at": None,
        "revision": 0,
    }
    if status is DeliveryStatus.SCHEDULED:
        delivery["wake_at"] = send_at
    elif status is DeliveryStatus.QUEUED:
        delivery |= {"lane": lane(route), "wake_at": notification["expires_at"]}
    return delivery  # type: ignore[return-value]  # built key by key: `lane` is only there when it waits in one


def _planned(notification: NotificationDocument, route: list[str]) -> str:
    left_out = [provider for provider in notification["providers"] if provider not in route]
    return f"planned without {', '.join(left_out)}: the text is too long there" if left_out else "planned"
