"""Stored documents as clients see them: exact names, masked recipients, no message texts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from api_gateway.application.accept_notification import Accepted
from api_gateway.application.capacity import why_out
from api_gateway.application.look_at_queue import Glance
from api_gateway.application.ports import Conservation
from api_gateway.domain.audience import Rejection
from api_gateway.domain.statistics import SENT
from api_gateway.domain.submission import Item
from common.contracts.documents import (
    CurrentAttempt,
    DeliveryDocument,
    NotificationDocument,
    PastAttempt,
    SenderDocument,
)
from common.contracts.vocabulary import (
    BY_WHATSAPP,
    WAITING,
    CircuitState,
    DeliveryStatus,
    FailureClass,
    NotificationStatus,
    Priority,
)
from common.kernel.phone import mask, mask_in_text
from common.kernel.trace_context import trace_id_of
from common.mongo.gate import Limits, usage

View = dict[str, Any]


def accepted(result: Accepted, items: Sequence[Item] = ()) -> View:
    notification = result.notification
    view: View = {
        "success": True,
        "notification_id": notification["_id"],
        "deliveries": notification["recipients"],
        "estimated_finish": notification["estimated_finish"],
        "rejected": rejections(result.rejected, items),
    }
    estimated, expires_at = notification["estimated_finish"], notification["expires_at"]
    if estimated is not None and estimated > expires_at:
        view["warning"] = f"its validity ends at {expires_at:%Y-%m-%dT%H:%M:%SZ}, before it is estimated to be sent"
    if result.bulk:
        people = notification.get("people", notification["recipients"])
        view |= {"totalSent": people, "totalCustomers": people}
    return view


def rejections(rejected: Sequence[Rejection], items: Sequence[Item] = ()) -> list[View]:
    return [_rejection(one, items[one.index].line if items else None) for one in rejected]


def _rejection(rejection: Rejection, line: int | None) -> View:
    """Of a row of a file it says where that stands and which column is at fault, too."""
    view = {"index": rejection.index, "value": rejection.value, "code": rejection.code, "error": rejection.error}
    if line is None:
        return view
    return view | {"line": line, "field": rejection.field and rejection.field.removeprefix("data.")}


def notification(document: NotificationDocument, progress: Mapping[str, int], eta: datetime | None = None) -> View:
    """`planned`, `not_yet_planned` and `cancelled_before_planning` add up to `recipients`, the figures of `progress` to
    the first and the last of them; `sent`, `failed` and `waiting` sum those up. `eta`: when what waits may be through.
    """
    planned = sum(progress.values())
    # What the directory is asked for was only counted when it was accepted; more may be found.
    recipients = max(document["recipients"], planned)
    cancelled = document["status"] == NotificationStatus.CANCELLED
    with_unplanned = _with_unplanned(recipients - planned if cancelled else 0, progress)
    waiting = sum(progress.get(status, 0) for status in WAITING)
    not_yet_planned = 0 if cancelled else recipients - planned
    return {
        "id": document["_id"],
        "type": document["type"],
        "channels": document.get("channels", BY_WHATSAPP),
        "status": document["status"],
        "priority": document["priority"],
        "template": document.get("template"),
        "subject": document.get("subject"),
        "recipients": recipients,
        "rejected": document.get("rejected", 0),
        "planned": planned,
        "not_yet_planned": not_yet_planned,
        "cancelled_before_planning": recipients - planned - not_yet_planned,
        "sent": sum(progress.get(status, 0) for status in SENT),
        "failed": progress.get(DeliveryStatus.FAILED, 0),
        "waiting": waiting,
        "progress": with_unplanned,
        "direct": document["direct"],
        "send_at": document["send_at"],
        "expires_at": document["expires_at"],
        "estimated_finish": document["estimated_finish"],
        "eta": eta if waiting or not_yet_planned else None,
        "created_by": by(document["created_by"]),
        "created_at": document["created_at"],
        "contents_removed_at": document.get("contents_removed_at"),
        "trace_id": trace_id_of(document.get("traceparent")),
    }


def _with_unplanned(unplanned: int, progress: Mapping[str, int]) -> dict[str, int]:
    """A cancelled notification's recipients without a delivery are cancelled, too, whoever writes that down later."""
    return {**progress, "cancelled": progress.get("cancelled", 0) + unplanned} if unplanned else dict(progress)


def by(subject: str | None) -> str | None:
    """Who did it; an issuer may call people by their numbers."""
    return None if subject is None else mask_in_text(subject)


def delivery(document: DeliveryDocument) -> View:
    attempts = [_past_attempt(attempt) for attempt in document["attempts"]]
    if document["attempt"] is not None:
        attempts.append(_current_attempt(document["attempt"]))
    return {
        "id": document["_id"],
        "notification_id": document["notification_id"],
        "type": document["type"],
        "channel": document["channel"],
        "template": document.get("template"),
        "recipient": mask(document["recipient"]),
        "status": document["status"],
        "priority": document["priority"],
        "failover": document["failover"],
        "possible_duplicate": document["possible_duplicate"],
        "reason": None if document["reason"] is None else mask_in_text(document["reason"]),
        "code": document["code"],
        "route": document["route"],
        "retries": document["retries"],
        "attempts": attempts,
        "timeline": [
            {"at": entry["at"], "status": entry["status"], "cause": mask_in_text(entry["cause"])}
            for entry in document["timeline"]
        ],
        "send_at": document["send_at"],
        "queued_at": document["queued_at"],
        "expires_at": document["expires_at"],
        "created_at": document["created_at"],
        "sent_at": document["sent_at"],
        "discarded_at": document.get("discarded_at"),
        "contents_removed_at": document.get("contents_removed_at"),
        "trace_id": trace_id_of(document.get("traceparent")),
    }


def _past_attempt(attempt: PastAttempt) -> View:
    error = attempt["error"]
    return {
        "number": attempt["number"],
        "provider": attempt["provider"],
        "sender": attempt["sender"],
        "outcome": attempt["outcome"],
        "error": None if error is None else mask_in_text(error),
        "code": attempt["code"],
        "started_at": attempt["started_at"],
        "finished_at": attempt["finished_at"],
        "provider_message_id": attempt["provider_message_id"],
    }


def _current_attempt(attempt: CurrentAttempt) -> View:
    return {
        "number": attempt["number"],
        "provider": attempt["provider"],
        "sender": attempt["sender"],
        "outcome": attempt["state"],
        "error": None,
        "code": None,
        "started_at": attempt.get("started_at"),
        "finished_at": None,
        "provider_message_id": None,
    }


def sender(document: SenderDocument, limits: Limits, now: datetime) -> View:
    out = why_out(document, now)
    paused = bool(document.get("paused"))
    why = f"paused by {document.get('paused_by', 'an operator')}" if paused else out
    circuit = document.get("circuit")
    return {
        "id": document["_id"],
        "provider": document["provider"],
        "status": "paused" if paused else "available" if out is None else "out",
        "why": None if why is None else mask_in_text(why),
        "circuit": {
            "state": "closed" if circuit is None else circuit["state"],
            "reason": None if circuit is None or circuit["reason"] is None else mask_in_text(circuit["reason"]),
            "opened_at": None if circuit is None else circuit["opened_at"],
            "retry_at": None if circuit is None else circuit["retry_at"],
        },
        "quota": {
            "remaining": document.get("quota_remaining"),
            "total": document.get("quota_total"),
            "at": document.get("quota_at"),
            "age_seconds": _age(document.get("quota_at"), now),
        },
        "device": _device(document, now),
        "usage": {
            one.window: {"limit": one.limit, "used": one.used, "reset_at": one.reset_at}
            for one in usage(document.get("gate", {}), limits, now)
        },
        "gap": limits.gap,
        "gateway_seen_at": document["gateway_seen_at"],
        "gateway_alive": out != "its gateway is silent",
    }


def _device(document: SenderDocument, now: datetime) -> View:
    device, circuit = document.get("device", {}), document.get("circuit")
    connected, at = device.get("connected"), device.get("connected_at")
    if circuit is not None and circuit["state"] != CircuitState.CLOSED and circuit["opened_at"] is not None:
        back_at = circuit.get("back_at")
        # What sending met says more than what is answered a moment later: the dispatcher knows when to believe that.
        if circuit.get("failure") == FailureClass.DISCONNECTED and (back_at is None or back_at < circuit["opened_at"]):
            connected, at = False, circuit["opened_at"]
    error = device.get("error")
    return {
        "connected": connected,
        "connected_at": at,
        "age_seconds": _age(at, now),
        "expires_on": device.get("expires_on"),
        "checked_at": device.get("answered_at"),
        "error": None if error is None else mask_in_text(error),
    }


def _age(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else max(0, round((now - at).total_seconds()))


def queue(glance: Glance) -> View:
    by_priority: dict[str, int] = {priority.value: 0 for priority in Priority}
    for one in glance.waiting:
        by_priority[next(priority.value for priority in Priority if priority.rank == one.rank)] += one.count
    oldest = min((one.oldest for one in glance.waiting), default=None)
    finish = glance.finish
    return {
        "queue_length": glance.queued,
        "is_processing": glance.sending > 0 or (glance.queued > 0 and finish is not None),
        "failed_messages": glance.dead,
        "estimated_time": None if finish is None else max(0, round((finish - glance.now).total_seconds())),
        "estimated_finish": finish if glance.queued else None,
        "sending": glance.sending,
        "by_priority": by_priority,
        "waiting_for_retry": max(0, glance.queued - sum(one.count for one in glance.waiting)),
        "oldest_seconds": None if oldest is None else max(0, round((glance.now - oldest).total_seconds())),
        "next_messages": [
            {
                "id": head["_id"],
                "type": head["type"],
                "recipient": mask(head["recipient"]),
                "priority": head["priority"],
                "queued_at": head["queued_at"],
            }
            for head in glance.heads
        ],
    }


def conservation(counted: Conservation) -> View:
    return {
        "accepted": counted.accepted,
        "deliveries": dict(counted.deliveries),
        "not_yet_planned": counted.not_yet_planned,
        "cancelled_before_planning": counted.cancelled_before_planning,
        "difference": counted.difference,
    }
