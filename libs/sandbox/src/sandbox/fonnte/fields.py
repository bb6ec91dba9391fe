"""How strictly ``/send`` reads its fields: text in forms, exact types in JSON (seen in the field)."""

import json
import re
from typing import TYPE_CHECKING, Any

from sandbox.fonnte.dialect import ATTACHMENTS, LARGEST_FILE, LONGEST_MESSAGE, LONGEST_SAFE_MESSAGE
from sandbox.fonnte.failure import FonnteFailure
from sandbox.wire.forms import PostedFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.fonnte.dialect import FonnteVariants

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "target": (str,),
    "message": (str,),
    "url": (str,),
    "filename": (str,),
    "schedule": (int,),
    "delay": (str,),
    "countryCode": (str,),
    "location": (str,),
    "typing": (bool,),
    "duration": (int,),
    "choices": (str,),
    "select": (str,),
    "pollname": (str,),
    "connectOnly": (bool,),
    "followup": (int,),
    "data": (str,),
    "sequence": (bool,),
    "preview": (bool,),
    "inboxid": (int,),
}

BODY_FIELDS = ("message", "url", "file", "location", "choices", "data")


def check_json(fields: Any, variants: "FonnteVariants") -> dict[str, Any]:
    """The fields of a JSON body, or ``invalid/empty body value``."""
    broken = FonnteFailure("invalid/empty body value")
    if not isinstance(fields, dict) or variants.json_send == "refused":
        raise broken
    if variants.json_send == "target_and_message_only" and not fields.keys() <= {"target", "message"}:
        raise broken
    for name, value in fields.items():
        kinds = JSON_TYPES.get(name)
        # bool is an int to Python and not to the provider.
        if kinds is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            raise broken
        if value == "":
            raise broken
    return fields


def check_values(fields: dict[str, Any], variants: "FonnteVariants") -> None:
    """Refuse malformed parameters and attachments."""
    if not any(fields.get(name) for name in BODY_FIELDS):
        raise FonnteFailure("invalid/empty body value")
    message = fields.get("message", "")
    if not isinstance(message, str):
        raise FonnteFailure("invalid/empty body value")
    if len(message) > LONGEST_MESSAGE or (variants.above_4096 == "refuse" and len(message) > LONGEST_SAFE_MESSAGE):
        raise FonnteFailure("input invalid")
    for name, check in CHECKS.items():
        if name in fields and fields[name] != "":
            check(fields[name])


def is_true(value: Any, *, unless_said: bool) -> bool:
    """A boolean in any of the spellings that clients use."""
    return unless_said if value is None or value == "" else value in (True, "true", "1", "True")


def _whole_number(value: Any) -> None:
    if not re.fullmatch(r"\d{1,15}", str(value), re.ASCII):
        raise FonnteFailure("input invalid")


def _delay(value: Any) -> None:
    if not re.fullmatch(r"\d{1,6}(-\d{1,6})?", str(value), re.ASCII):
        raise FonnteFailure("input invalid")


def _location(value: Any) -> None:
    if not re.fullmatch(r"-?\d+(\.\d+)?\s*,\s*-?\d+(\.\d+)?", str(value)):
        raise FonnteFailure("input invalid")


def _choices(value: Any) -> None:
    if not 2 <= len(str(value).split(",")) <= 12:
        raise FonnteFailure("input invalid")


def _address(value: Any) -> None:
    match = re.fullmatch(r"https?://[^/\s]+\.[^/\s]+(/\S*)?", str(value))
    if match is None:
        raise FonnteFailure("url invalid")
    _, dot, extension = (match[1] or "").partition("?")[0].rpartition(".")
    if dot and extension.lower() not in ATTACHMENTS:
        raise FonnteFailure("file format not supported")


def _file(value: Any) -> None:
    if not isinstance(value, PostedFile):
        raise FonnteFailure("input invalid")
    if value.name.rpartition(".")[2].lower() not in ATTACHMENTS:
        raise FonnteFailure("file format not supported")
    if value.size > LARGEST_FILE:
        raise FonnteFailure("file size must under 4MB")


def _several_messages(value: Any) -> None:
    try:
        entries = json.loads(value)
    except (ValueError, TypeError):
        entries = None
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise FonnteFailure("JSON format invalid")


CHECKS: "dict[str, Callable[[Any], None]]" = {
    "schedule": _whole_number,
    "duration": _whole_number,
    "followup": _whole_number,
    "inboxid": _whole_number,
    "delay": _delay,
    "location": _location,
    "choices": _choices,
    "url": _address,
    "file": _file,
    "data": _several_messages,
}
