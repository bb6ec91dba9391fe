"""From a notification and a member of its audience to a delivery."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from common.contracts.documents import AudienceMember, DeliveryDocument, NotificationDocument
from common.contracts.vocabulary import (
    CHANNEL_OFF,
    NO_ADDRESS,
    OPTED_OUT,
    RESTORED,
    Channel,
    DeliveryStatus,
    NotificationStatus,
    Priority,
    providers_of,
)
from dispatcher.domain.audience import Refusal, channel_of, identity_of
from dispatcher.domain.hours import Departure
from dispatcher.domain.lanes import lane
from dispatcher.domain.payments import invoice_asked_for
from dispatcher.domain.rounds import CANCELLED

CALLED_OFF = Refusal(None, CANCELLED)
HELD = Refusal("UNKNOWN", RESTORED)
TOLD_ALREADY = "DUPLICATE"
SUPPRESSING = frozenset({OPTED_OUT, TOLD_ALREADY, NO_ADDRESS, CHANNEL_OFF})
"""Codes of what is not sent although it could be: nobody has to mend anything."""

HANDED_ON = ("hours", "suppressible", "traceparent")
"""What its deliveries have as well, where the notification has it."""


def plan_delivery(
    notification: NotificationDocument,
    member: AudienceMember,
    *,
    position: int,
    text: str,
    subject_line: str | None = None,
    template: str | None,
    route: list[str],
    refusal: Refusal | None,
    departure: Departure,
    now: datetime,
) -> DeliveryDocument:
    """The delivery of a notification to one member; planning it twice gives the same identity.

    `route` holds the providers that can carry the text (an e-mail has a `subject_line`, too); a `refusal` ends the
    delivery at once, visibly. Of a cancelled notification every delivery is cancelled: whoever was promised an outcome
    gets one. Of one that a backup brought back what could be sent is held: it may have been.
    """
    if notification["status"] == NotificationStatus.CANCELLED:
        refusal = CALLED_OFF
    elif "restored_at" in notification and refusal is None:
        refusal = HELD
    channel = channel_of(member)
    if refusal:
        status, cause = _ended(refusal), refusal.reason
    else:
        status = DeliveryStatus.QUEUED if departure.wake_at is None else DeliveryStatus.SCHEDULED
        cause = _planned(providers_of(channel, notification["providers"]), route, departure)
    delivery: dict[str, Any] = {
        "_id": identity_of(notification, member, text if subject_line is None else f"{subject_line}\n{text}"),
        "notification_id": notification["_id"],
        "type": notification["type"],
        "channel": channel,
        "recipient": member["to"],
        "message": text,
        "template": template,
        "priority": notification["priority"],
        "rank": 0 if notification["direct"] else Priority(notification["priority"]).rank,
        "status": status,
        "route": route,
        "queued_at": departure.queued_at,
        "position": position,
        "expires_at": notification["expires_at"],
        "validity_seconds": notification["validity_seconds"],
        "send_at": notification["send_at"],
        "retries": 0,
        "on_unknown": notification["on_unknown"],
        # Nobody can be asked what became of an e-mail, so nothing is waited for.
        "unknown_wait_seconds": 0.0 if channel is Channel.EMAIL else notification["unknown_wait_seconds"],
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
    if subject_line is not None:
        delivery["subject_line"] = subject_line
    delivery |= {name: value for name in HANDED_ON if (value := notification.get(name))}
    invoice_id = invoice_asked_for(notification, member)
    if invoice_id is not None:
        delivery["invoice_id"] = invoice_id
    if status is DeliveryStatus.SCHEDULED:
        delivery["wake_at"] = departure.wake_at
    elif status is DeliveryStatus.QUEUED:
        delivery |= {"lane": lane(route), "wake_at": notification["expires_at"]}
    return delivery  # type: ignore[return-value]  # built key by key: `lane` is only there when it waits in one


def kept_back(delivery: DeliveryDocument, refusal: Refusal) -> None:
    """End a delivery that is planned and not stored yet."""
    delivery["status"] = _ended(refusal)
    delivery["reason"], delivery["code"] = refusal.reason, refusal.code
    delivery["timeline"] = [{"at": delivery["created_at"], "status": delivery["status"], "cause": refusal.reason}]
    delivery.pop("lane", None)
    delivery.pop("wake_at", None)


def _ended(refusal: Refusal) -> DeliveryStatus:
    if refusal is CALLED_OFF:
        return DeliveryStatus.CANCELLED
    if refusal is HELD:
        return DeliveryStatus.UNKNOWN
    return DeliveryStatus.SUPPRESSED if refusal.code in SUPPRESSING else DeliveryStatus.FAILED


def _planned(providers: Sequence[str], route: list[str], departure: Departure) -> str:
    left_out = [provider for provider in providers if provider not in route]
    planned = f"planned without {', '.join(left_out)}: the text is too long there" if left_out else "planned"
    return f"{planned}; {departure.why}" if departure.why else planned
