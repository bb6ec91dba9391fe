"""Bodies of Fonnte's webhooks; source: docs.fonnte.com/webhook-update-message-status and /webhook-reply-message."""

import time
from typing import TYPE_CHECKING, Any

from sandbox.ledger import MessageState

if TYPE_CHECKING:
    from sandbox.devices import Device
    from sandbox.ledger import Message
    from sandbox.webhooks.subscription import Subscription

LATER_STATES = frozenset(["delivered", "read"])
INCOMING_KINDS = ("personal", "group", "non_text", "echo")


def state_id(message: "Message") -> str:
    """WhatsApp's own id of the message, which Fonnte calls ``stateid``."""
    return f"3EB0{message.index:016X}"


def status_events(message: "Message", device: "Device", subscription: "Subscription") -> list[dict[str, Any]]:
    """The events that follow a message's end: first with id and stateid, later states with stateid alone."""
    if message.state is not MessageState.SENT:
        return [{"device": device.number, "id": message.id, "status": message.state.value}]
    words = subscription.outcomes.get(message.recipient, subscription.events)
    return [status_event(message, device, word, subscription) for word in words]


def status_event(message: "Message", device: "Device", word: str, subscription: "Subscription") -> dict[str, Any]:
    body: dict[str, Any] = {"device": device.number}
    if subscription.numbering == "id_only":
        return {**body, "id": message.id, "status": word}
    if word in LATER_STATES:
        return {**body, "stateid": state_id(message), "state": word}
    if word == "sent":
        return {**body, "id": message.id, "stateid": state_id(message), "status": word, "state": word}
    return {**body, "id": message.id, "status": word}


def incoming_event(device: "Device", kind: str, *, sender: str, text: str, inbox_id: int) -> dict[str, Any]:
    """An incoming message: ``personal``, ``group`` (sender is the group, member the person), ``non_text`` or ``echo``
    (our own reply, sender is the device).
    """
    body = {
        "device": device.number,
        "sender": sender,
        "message": text,
        "text": "",
        "member": "",
        "name": "Pelanggan",
        "location": "",
        "pollname": "",
        "choices": "",
        "timestamp": int(time.time()),
        "inboxid": inbox_id,
    }
    match kind:
        case "group":
            body |= {"sender": "120363000000000001@g.us", "member": sender}
        case "non_text":
            body |= {"message": "non-text message"}
        case "echo":
            body |= {"sender": device.number}
    return body


def device_event(device: "Device") -> dict[str, Any]:
    return {
        "device": device.number,
        "status": "connect" if device.connected else "disconnect",
        "timestamp": int(time.time()),
        "reason": "" if device.connected else "logged out",
    }
