"""Fonnte's webhooks: docs.fonnte.com/webhook-update-message-status, /webhook-reply-message, /webhook-device-status.

One about a message comes with `id` and `stateid`, with `id` alone, or with `stateid` alone: then the state of the
message whose `id` and `stateid` came together before, whatever else was said with them.
"""

from collections.abc import Sequence

from common.contracts.events import Report, Reported, Webhook
from common.contracts.vocabulary import FailureClass
from gateway.domain.enquiries import plain
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

UNDER_WAY = frozenset({"waiting", "pending", "processing"})
MEANINGS: dict[str, tuple[Reported, FailureClass | None]] = {
    "sent": (Reported.SENT, None),
    "delivered": (Reported.DELIVERED, None),
    "read": (Reported.READ, None),
    "played": (Reported.READ, None),
    "invalid": (Reported.FAILED, FailureClass.RECIPIENT),
    "failed": (Reported.FAILED, FailureClass.MESSAGE),
    "url unreachable": (Reported.FAILED, FailureClass.MESSAGE),
    # The device was away for a day: it was never sent.
    "expired": (Reported.NOT_SENT, FailureClass.DISCONNECTED),
}
CONNECTED = {"connect": True, "connected": True, "disconnect": False, "disconnected": False}


class FonnteWebhooks:
    def read(self, webhook: Webhook) -> Sequence[Told]:
        return read_each(webhook, _read)


def _read(fields: Fields, webhook: Webhook) -> list[Told]:
    if word(fields, "sender") and ("message" in fields or "inboxid" in fields):
        return _incoming(fields, webhook)
    if word(fields, "id", "stateid"):
        return _reports(fields, webhook)
    status = word(fields, "status").lower()
    if status in CONNECTED:
        at = said_at(fields.get("timestamp"), webhook.received_at)
        return [DeviceSaid(word(fields, "device") or None, CONNECTED[status], word(fields, "reason") or None, at)]
    raise Unreadable("neither about a message, nor from a person, nor about a device")


def _reports(fields: Fields, webhook: Webhook) -> list[Told]:
    words = [one.lower() for one in (word(fields, "status"), word(fields, "state")) if one]
    if not words:
        raise Unreadable("it names a message and says nothing of it")
    reports, unknown = _states(fields, words, webhook)
    if not reports and word(fields, "id") and word(fields, "stateid") and UNDER_WAY.intersection(words):
        # It was taken, and only this may ever say which message later words with `stateid` alone are about.
        reports = [_report(fields, "sent", webhook)]
    return [*reports, *unknown]


def _states(fields: Fields, words: list[str], webhook: Webhook) -> tuple[list[Told], list[Told]]:
    """What its words say of the message, and those nobody knows."""
    news = [said for said in dict.fromkeys(words) if said not in UNDER_WAY]
    reports: list[Told] = [_report(fields, said, webhook) for said in news if said in MEANINGS]
    return reports, [unknown_word(said) for said in news if said not in MEANINGS]


def _report(fields: Fields, said: str, webhook: Webhook) -> Report:
    reported, failure = MEANINGS[said]
    return Report(
        reported=reported,
        at=said_at(fields.get("timestamp"), webhook.received_at),
        message_id=word(fields, "id") or None,
        state_id=word(fields, "stateid") or None,
        failure=failure,
        error=(word(fields, "reason") or said) if failure else None,
    )


def _incoming(fields: Fields, webhook: Webhook) -> list[Told]:
    """`sender` is who wrote, or the group somebody (`member`) wrote to; an echo of our own words is nobody's."""
    sender, device = word(fields, "sender"), word(fields, "device")
    if plain(sender) == plain(device):
        return []
    text = word(fields, "message", "text", "choices")
    at = said_at(fields.get("timestamp"), webhook.received_at)
    group = sender if sender.endswith("@g.us") else None
    return [
        MessageSaid(
            device=device or None,
            identity=word(fields, "inboxid") or f"{sender}/{word(fields, 'timestamp')}/{text}",
            message_from=person(word(fields, "member") or sender if group else sender),
            group=group,
            text=text,
            at=at,
        )
    ]
