"""``POST /send``: accept messages as docs.fonnte.com/api-send-message says, answer as the wire does."""

import json
from typing import TYPE_CHECKING, Any

from sandbox.fonnte.failure import FonnteFailure
from sandbox.fonnte.fields import check_json, check_values, is_true
from sandbox.fonnte.targets import Target, read_targets
from sandbox.ledger import MessageState

if TYPE_CHECKING:
    from sandbox.devices import Device
    from sandbox.fonnte.caller import Caller
    from sandbox.fonnte.dialect import FonnteVariants
    from sandbox.ledger import Message
    from sandbox.transit import Transit


def send(caller: "Caller") -> dict[str, Any]:
    """The answer's content after the messages have been accepted; ``FonnteFailure`` and nothing accepted otherwise."""
    request, device, variants, transit = caller.request, caller.device(), caller.variants, caller.transit
    fields = check_json(request.fields, variants) if request.encoding == "json" else request.fields
    if not isinstance(fields, dict) or request.encoding == "none":
        raise FonnteFailure("invalid/empty body value")
    check_values(fields, variants)
    wanted = _wanted(fields)
    if device.quota < len(wanted):
        raise FonnteFailure("insufficient quota")
    if not device.connected and is_true(fields.get("connectOnly"), unless_said=True):
        raise FonnteFailure("request invalid on disconnected device")
    before = device.quota
    schedule = int(fields.get("schedule") or 0)
    due_in = max(0.0, schedule - request.call.received_at) if schedule else float(fields.get("followup") or 0)
    gap = _gap(str(fields.get("delay") or ""), transit)
    messages = [
        transit.accept(request.call, device, recipient=target.recipient, text=text, due_in=due_in, gap=gap)
        for target, text in wanted
    ]
    device.take(len(messages))
    return _success(messages, device, before, variants, request.call.index)


def _gap(delay: str, transit: "Transit") -> float | None:
    """Seconds after each target: ``"5"``, or a range of which the simulator takes the middle; none: the device's."""
    if not delay or not transit.pace.seconds:
        return None
    first, _, last = delay.partition("-")
    return (int(first) + int(last or first)) / 2


def _wanted(fields: dict[str, Any]) -> list[tuple[Target, str]]:
    country_code = str(fields.get("countryCode") or "62")
    if fields.get("data"):
        entries = json.loads(fields["data"])
        return [
            (target, target.personalise(str(entry.get("message", ""))))
            for entry in entries
            for target in read_targets(str(entry.get("target", "")), country_code)
        ]
    target_text = fields.get("target")
    if not target_text or not isinstance(target_text, str):
        raise FonnteFailure("invalid/empty body value")
    text = fields.get("message", "")
    return [(target, target.personalise(text)) for target in read_targets(target_text, country_code)]


def _success(
    messages: "list[Message]", device: "Device", before: int, variants: "FonnteVariants", call_index: int
) -> dict[str, Any]:
    waiting = messages[0].state is MessageState.WAITING
    content: dict[str, Any] = {
        "detail": "success! message will be sent on scheduled time" if waiting else "success! message in queue",
        "id": [message.id if variants.ids == "string" else int(message.id) for message in messages],
        "process": "pending",
    }
    if variants.quota_key != "none":
        number = device.number if variants.quota_key == "62" else "0" + device.number.removeprefix("62")
        content["quota"] = {
            number: {
                "details": "deduced from total quota",
                "quota": before,
                "remaining": device.quota,
                "used": before - device.quota,
            }
        }
    if variants.requestid:
        content["requestid"] = request_id(call_index)
    content[variants.status_key] = "true" if variants.status_value == "text" else True
    content["target"] = [message.recipient for message in messages]
    return content


def request_id(call_index: int) -> int:
    """Fonnte numbers requests; the real ones are nine digits long."""
    return 700_000_001 + call_index
