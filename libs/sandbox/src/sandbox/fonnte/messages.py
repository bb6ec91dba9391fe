"""Numbers and messages already sent; source: docs.fonnte.com/category/device-api and /message-status."""

import re
from typing import TYPE_CHECKING, Any

from sandbox.faults.recipients import is_unreachable
from sandbox.fonnte.failure import FonnteFailure
from sandbox.fonnte.targets import NUMBER, to_international
from sandbox.ledger import MessageState

if TYPE_CHECKING:
    from sandbox.fonnte.caller import Caller
    from sandbox.ledger import Message

LARGEST_VALIDATION = 500
RECENT_CALLS = 100
DEPRECATED = "this endpoint is deprecated, please use webhook to get message status"


def validate(caller: "Caller") -> dict[str, Any]:
    """Which numbers are on WhatsApp: all but those ending as ``is_unreachable`` says."""
    device = caller.device()
    if not caller.field("target"):
        raise FonnteFailure("target required")
    if not device.connected:
        raise FonnteFailure("request invalid on disconnected device")
    country_code = caller.field("countryCode") or "62"
    numbers = [to_international(part.strip(), country_code) for part in caller.field("target").split(",")]
    if len(numbers) > LARGEST_VALIDATION or not all(NUMBER.fullmatch(number) for number in numbers):
        raise FonnteFailure("target invalid")
    spoiled = caller.variants.overlapping_validate == "spoils" and _overlaps(caller)
    missing = numbers if spoiled else [number for number in numbers if is_unreachable(number)]
    return {
        "registered": [number for number in numbers if number not in missing],
        "not_registered": missing,
        "status": True,
    }


def _overlaps(caller: "Caller") -> bool:
    mine = caller.request.call
    return any(
        call.endpoint == "validate" and call.device == mine.device and call.answered_at is None
        for call in caller.ledger.calls[-RECENT_CALLS:]
        if call is not mine
    )


def _find(caller: "Caller") -> "Message | None":
    asked = caller.field("id")
    message = caller.transit.find(asked)
    return message if message is not None and message.call.device == caller.request.call.device else None


def status(caller: "Caller") -> dict[str, Any]:
    """Deprecated: the live answer points to the webhook (its wording is assumed)."""
    caller.device()
    if caller.variants.status_endpoint == "deprecated":
        raise FonnteFailure(DEPRECATED)
    message = _find(caller)
    if message is None:
        raise FonnteFailure("invalid message id")
    return {"id": int(message.id), "message_status": message.state.value, "status": True}


def delete_message(caller: "Caller") -> dict[str, Any]:
    caller.device()
    message = _find(caller)
    if message is None or message.state is MessageState.CANCELLED:
        raise FonnteFailure("invalid message id")
    if not caller.transit.cancel(message):
        raise FonnteFailure("cannot delete message with status processing")
    return {"detail": f"message {message.id} successfully deleted", "status": True}


def reset_message(caller: "Caller") -> dict[str, Any]:
    """Reschedule: ``schedule`` is Unix seconds, ``delay`` seconds from now."""
    caller.device()
    message = _find(caller)
    if message is None:
        raise FonnteFailure("invalid message id")
    schedule, delay = caller.field("schedule"), caller.field("delay")
    if not re.fullmatch(r"\d{1,15}", schedule or delay or "0", re.ASCII):
        raise FonnteFailure("input invalid")
    due_in = int(schedule) - caller.transit.clock.now() if schedule else float(delay or 0)
    if not caller.transit.reschedule(message, max(0.0, due_in)):
        raise FonnteFailure("invalid message id")
    return {"detail": f"message {message.id} successfully rescheduled", "status": True}


def typing(caller: "Caller") -> dict[str, Any]:
    if not caller.device().connected:
        raise FonnteFailure("request invalid on disconnected device")
    if not caller.field("target"):
        raise FonnteFailure("target invalid")
    return {"detail": "typing", "status": True}
