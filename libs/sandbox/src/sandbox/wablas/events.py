"""Bodies of Wablas' webhooks; source: wablas.com/documentation/api (webhook, tracking, device status)."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.ledger import MessageState
from sandbox.wablas.send import device_id

if TYPE_CHECKING:
    from sandbox.devices import Device
    from sandbox.ledger import Message
    from sandbox.webhooks.subscription import Subscription

# pending sent delivered received read cancel reject rejected: the list itself is assumed.
STATUS_WORDS = {
    MessageState.WAITING: "pending",
    MessageState.PENDING: "pending",
    MessageState.PROCESSING: "pending",
    MessageState.SENT: "sent",
    MessageState.DELIVERED: "delivered",
    MessageState.READ: "read",
    MessageState.FAILED: "reject",
    MessageState.EXPIRED: "cancel",
    MessageState.CANCELLED: "cancel",
}
INCOMING_KINDS = ("personal", "group", "non_text", "echo")


def status_events(message: "Message", device: "Device", subscription: "Subscription") -> list[dict[str, Any]]:
    """The tracking events that follow a message's end."""
    if message.state is not MessageState.SENT:
        return [status_event(message, device, STATUS_WORDS[message.state], subscription)]
    words = subscription.outcomes.get(message.recipient, subscription.events)
    return [status_event(message, device, word, subscription) for word in words]


def status_event(message: "Message", device: "Device", word: str, subscription: "Subscription") -> dict[str, Any]:
    return {
        "id": message.id,
        "phone": message.recipient,
        "status": word,
        "note": subscription.notes.get(word, ""),
        "sender": device.number,
        "deviceId": device_id(device),
    }


def incoming_event(device: "Device", kind: str, *, sender: str, text: str, inbox_id: int) -> dict[str, Any]:
    """An incoming message: ``personal``, ``group``, ``non_text`` (message ``File``) or ``echo`` (``isFromMe``).

    ``sender`` is always our own device here, the customer or group is ``phone``.
    """
    body: dict[str, Any] = {
        "id": f"3EB1{inbox_id:016X}",
        "pushName": "Pelanggan",
        "isGroup": False,
        "group": {"sender": "", "subject": "", "owner": "", "desc": "", "participants": []},
        "message": text,
        "phone": sender,
        "messageType": "text",
        "file": "",
        "url": "",
        "mimeType": "",
        "deviceId": device_id(device),
        "sender": device.number,
        "isFromMe": False,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "profileImage": "",
    }
    match kind:
        case "group":
            group = {"sender": sender, "subject": "Tim Lapangan", "owner": "", "desc": "", "participants": []}
            body |= {"isGroup": True, "phone": "120363000000000001", "group": group}
        case "non_text":
            body |= {"message": "File", "messageType": "image", "file": "photo.jpg", "mimeType": "image/jpeg"}
        case "echo":
            body |= {"isFromMe": True}
    return body


def device_event(device: "Device") -> dict[str, Any]:
    return {
        "deviceId": device_id(device),
        "deviceName": device.name,
        "sender": device.number,
        "status": "connected" if device.connected else "disconnected",
        "note": "ready to use" if device.connected else "not connected, scan QR",
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
    }
