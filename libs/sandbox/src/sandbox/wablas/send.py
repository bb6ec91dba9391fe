"""Sending over v2 (a batch of items), v1 (a comma list) and the simple GET; source: wablas.com/documentation/api."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.wablas.dialect import (
    BAD_PARAMETER,
    BAD_PHONE,
    DISCONNECTED,
    LARGEST_BATCH,
    LONGEST_MESSAGE,
    QUOTA,
    WablasFailure,
)

if TYPE_CHECKING:
    from sandbox.devices import Device
    from sandbox.wablas.caller import Caller
    from sandbox.wablas.dialect import WablasVariants

NUMBER = re.compile(r"\d{9,15}", re.ASCII)
GROUP = re.compile(r"\d{15,20}|\d{8,15}-\d{10}", re.ASCII)
CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
PENDING = "Message is pending and waiting to be processed"


@dataclass(slots=True, frozen=True)
class Item:
    """One message to send; ``phone`` is as the client wrote it when it is not ``valid``."""

    phone: str
    text: str
    reference: str | None
    valid: bool
    random: bool = False


def send_batch(caller: "Caller") -> dict[str, Any]:
    """v2: JSON ``{"data": [{"phone", "message", ...}]}`` of at most 100 items (the refusal's text is assumed)."""
    fields = caller.request.fields
    batch = fields.get("data") if isinstance(fields, dict) and caller.request.encoding == "json" else None
    if not isinstance(batch, list) or not 0 < len(batch) <= LARGEST_BATCH:
        raise WablasFailure(BAD_PARAMETER)
    return _accept(caller, [_read(item, caller.variants) for item in batch])


def send_single(caller: "Caller", *, due_in: float = 0.0) -> dict[str, Any]:
    """v1 and simple GET: one text to a comma list of phones; the answer has neither device nor quota."""
    fields = caller.request.fields
    if not isinstance(fields, dict):
        raise WablasFailure(BAD_PARAMETER)
    phones = [phone for phone in str(fields.get("phone", "")).split(",") if phone]
    if not phones:
        raise WablasFailure(BAD_PARAMETER)
    content = _accept(caller, [_read({**fields, "phone": phone}, caller.variants) for phone in phones], due_in=due_in)
    if isinstance(content["data"], dict):
        content["data"].pop("device_id", None)
        content["data"].pop("quota", None)
    return content


def _read(item: Any, variants: "WablasVariants") -> Item:
    text = item.get("message") if isinstance(item, dict) else None
    if not isinstance(text, str) or not text or "phone" not in item:
        raise WablasFailure(BAD_PARAMETER)
    if len(text) > LONGEST_MESSAGE and variants.above_1024 != "accept":
        if variants.above_1024 == "refuse":
            raise WablasFailure(BAD_PARAMETER)
        text = text[:LONGEST_MESSAGE]
    if "spintax" in item and _is_true(item["spintax"]):
        text = CHOICE.sub(lambda choice: choice[1].split("|")[0], text)
    written = str(item["phone"])
    phone = to_international(written)
    is_group = "isGroup" in item and _is_true(item["isGroup"])
    valid = (GROUP if is_group else NUMBER).fullmatch(phone) is not None
    reference = item.get("ref_id")
    is_random = "random" in item and _is_true(item["random"])
    return Item(phone if valid else written, text, None if reference is None else str(reference), valid, is_random)


def to_international(phone: str) -> str:
    """Numbers may come with or without country code."""
    phone = phone.removeprefix("+")
    return "62" + phone[1:] if phone.startswith("0") else phone


def _is_true(value: Any) -> bool:
    return value in (True, "true", "1", "True")


def _accept(caller: "Caller", items: list[Item], *, due_in: float = 0.0) -> dict[str, Any]:
    device, variants = caller.device, caller.variants
    good = sum(item.valid for item in items)
    if not device.connected:
        raise WablasFailure(DISCONNECTED)
    if device.quota < good:
        raise WablasFailure(QUOTA)
    answers = [_answer_item(caller, item, due_in) for item in items]
    device.take(good)
    quota: dict[str, Any] = {}
    if variants.quota != "absent":
        quota["quota"] = device.quota if variants.quota == "number" else "unlimited"
    whole = {"device_id": device_id(device), **quota, "messages": answers}
    return {"status": True, "message": PENDING, "data": [whole] if items[0].random else whole}


def _answer_item(caller: "Caller", item: Item, due_in: float) -> dict[str, Any]:
    variants = caller.variants
    if item.valid:
        message = caller.transit.accept(
            caller.request.call,
            caller.device,
            recipient=item.phone,
            text=item.text,
            reference=item.reference,
            due_in=due_in,
        )
        as_number = variants.phone == "number" and item.phone.isdecimal()
        answer: dict[str, Any] = {
            "id": message.id,
            "phone": int(item.phone) if as_number else item.phone,
            "message": item.text,
            "status": "pending",
        }
    else:
        answer = {"phone": item.phone, "message": BAD_PHONE, "status": False}
    match variants.ref_id:
        case "echo":
            answer["ref_id"] = item.reference or ""
        case "null":
            answer["ref_id"] = None
        case "empty":
            answer["ref_id"] = ""
        case "absent":
            pass
    return answer


def refuse_every_phone(device: "Device | None", recipients: list[str]) -> dict[str, Any]:
    """A batch that is answered well and yet holds failed items only."""
    items = [{"phone": phone, "message": BAD_PHONE, "status": False, "ref_id": ""} for phone in recipients]
    whole: dict[str, Any] = {"messages": items}
    if device is not None:
        whole = {"device_id": device_id(device), "quota": device.quota, **whole}
    return {"status": True, "message": PENDING, "data": whole}


def device_id(device: "Device") -> str:
    """Wablas calls a device's serial its id."""
    return device.name.upper().replace("-", "")
