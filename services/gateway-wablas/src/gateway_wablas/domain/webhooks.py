"""Wablas' webhooks: wablas.com/documentation/api (webhook, tracking, device status).

In all of them `sender` is our own device; who wrote, or whom a message went to, is `phone`.
"""

from collections.abc import Mapping, Sequence

from common.contracts.events import Report, Reported, Webhook
from common.contracts.vocabulary import FailureClass
from gateway.domain.dialect import classify, says_true
from gateway.domain.webhooks import (
    DeviceSaid,
    Fields,
    MessageSaid,
    Told,
    Unreadable,
    person,
    read_each,
    said_at,
    unknown_word,
    word,
)
from gateway_wablas.domain.dialect import REASONS

UNDER_WAY = frozenset({"pending", "queued", "processing"})
MEANINGS: dict[str, Reported] = {
    "sent": Reported.SENT,
    "delivered": Reported.DELIVERED,
    "received": Reported.DELIVERED,
    "read": Reported.READ,
    "reject": Reported.FAILED,
    "rejected": Reported.FAILED,
    "failed": Reported.FAILED,
    "cancel": Reported.NOT_SENT,
    "cancelled": Reported.NOT_SENT,
}
NO_GOOD = frozenset({Reported.FAILED, Reported.NOT_SENT})
CONNECTED = {"connect": True, "connected": True, "disconnect": False, "disconnected": False}


class WablasWebhooks:
    def read(self, webhook: Webhook) -> Sequence[Told]:
        return read_each(webhook, _read)


def _read(fields: Fields, webhook: Webhook) -> list[Told]:
    if "message" in fields and word(fields, "phone"):
        return _incoming(fields, webhook)
    status = word(fields, "status").lower()
    if word(fields, "id") and status:
        return _report(fields, status, webhook)
    connected = _connected(status, word(fields, "note").lower())
    if connected is not None and word(fields, "deviceId", "sender"):
        at = said_at(fields.get("timestamp"), webhook.received_at)
        return [DeviceSaid(word(fields, "deviceId", "sender"), connected, word(fields, "note") or None, at)]
    raise Unreadable("neither about a message, nor from a person, nor about a device")


def _connected(status: str, note: str) -> bool | None:
    if status in CONNECTED:
        return CONNECTED[status]
    if "not connected" in f"{status} {note}" or "scan" in f"{status} {note}":
        return False
    return True if "ready" in f"{status} {note}" else None


def _report(fields: Fields, status: str, webhook: Webhook) -> list[Told]:
    if status in UNDER_WAY:
        return []
    if status not in MEANINGS:
        return [unknown_word(status)]
    return [report(MEANINGS[status], fields, said=status, at_most=webhook)]


def report(reported: Reported, fields: Fields, *, said: str, at_most: Webhook) -> Report:
    """A state in our words; what made it fail stands in `note`."""
    note = word(fields, "note")
    bad = reported in NO_GOOD
    return Report(
        reported=reported,
        at=said_at(fields.get("timestamp"), at_most.received_at),
        message_id=word(fields, "id") or None,
        reference=word(fields, "ref_id", "refId") or None,
        failure=(classify(note, REASONS) if note else FailureClass.UNCLASSIFIED) if bad else None,
        error=(f"{said}: {note}" if note else said) if bad else None,
    )


def _incoming(fields: Fields, webhook: Webhook) -> list[Told]:
    if says_true(fields.get("isFromMe")) or word(fields, "isFromMe") == "1":
        return []
    phone = word(fields, "phone")
    group = _group_id(phone) if _is_group(fields, phone) else None
    text = word(fields, "message")
    return [
        MessageSaid(
            device=word(fields, "deviceId", "sender") or None,
            identity=word(fields, "id") or f"{phone}/{word(fields, 'timestamp')}/{text}",
            message_from=person(_member(fields) or phone if group else phone),
            group=group,
            text=text,
            at=said_at(fields.get("timestamp"), webhook.received_at),
        )
    ]


def _is_group(fields: Fields, phone: str) -> bool:
    return says_true(fields.get("isGroup")) or word(fields, "isGroup") == "1" or phone.endswith("@g.us")


def _group_id(phone: str) -> str:
    return f"{phone.removesuffix('@g.us')}@g.us"


def _member(fields: Fields) -> str:
    """Who wrote to a group: an object in JSON, a field of that name in a form."""
    group = fields.get("group")
    return word(group, "sender") if isinstance(group, Mapping) else word(fields, "group[sender]")
