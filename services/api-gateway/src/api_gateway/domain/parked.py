"""Envelopes nobody could handle, as people see them."""

import json
import re
from typing import Any

from api_gateway.domain.audit import HIDDEN, SECRET
from common.kernel.phone import mask, mask_in_text

_OF_A_PERSON = re.compile(
    r"phone|msisdn|mobile|whatsapp|recipient|telepon|telp|^(to|from|message_from|sender|target|number|hp|wa)$",
    re.IGNORECASE,
)
_TOLD = re.compile(r"^(data|values|message|text|body|items|code|otp)$", re.IGNORECASE)
"""Where the code of a one-time password stands."""
_ONE_TIME_TYPE = re.compile(r'"\s*otp\s*(?::\d+)?\s*"', re.IGNORECASE)
_ONE_TIME_TEXT = re.compile(
    r"\botp\b|kode (?:verifikasi|rahasia|keamanan|akses|masuk)|(?:verification|security|login) code|one[- ]time"
    r"|kata sandi",
    re.IGNORECASE,
)
_TYPE_OR_TEMPLATE = re.compile(r"otp(?::\d{1,3})?", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(
    rf"""((?:{SECRET.pattern})[\w-]{{0,40}}\\?["']?\s{{0,5}}(?:[:=]|%3[dDaA])\s{{0,5}})"""
    r"""(?:\\?"[^"]*"?|'[^']*'?|(?:(?:bearer|basic)\s{1,5})?[^\s"'&,;}]+)""",
    re.IGNORECASE,
)


def shown(body: str) -> str:
    """A body without full numbers, secrets, and the codes of one-time passwords, in texts within it too."""
    if not body.lstrip().startswith(("{", "[")):
        return _text(body)
    try:
        document: Any = json.loads(body)
        written = json.dumps(document, ensure_ascii=False)
        one_time = bool(_ONE_TIME_TYPE.search(body) or _ONE_TIME_TYPE.search(written))
        seen = json.dumps(_value(document, one_time=one_time), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):  # not JSON, or nested too deeply to be looked through
        return _text(body)
    return seen.encode("utf-8", "replace").decode()  # half characters cannot be written


def _value(value: Any, name: str = "", *, one_time: bool) -> Any:
    match value:
        case None | bool():
            return value
        case dict():
            return _members(value, one_time=one_time)
        case list():
            return [_value(one, name, one_time=one_time) for one in value]
        case str():
            return value if _TYPE_OR_TEMPLATE.fullmatch(value) else _named(shown(value), name)
        case _:
            written = str(value)
            masked = _named(mask_in_text(written), name)
            return value if masked == written else masked


def _members(document: dict[str, Any], *, one_time: bool) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in document.items():
        key = mask_in_text(name)
        while key in members:  # two numbers may look alike without their middle
            key += "*"
        hidden = SECRET.search(name) or (one_time and _TOLD.search(name))
        members[key] = HIDDEN if hidden else _value(value, name, one_time=one_time)
    return members


def _named(text: str, name: str) -> str:
    """What stands where a number belongs is masked, whatever it is."""
    if not _OF_A_PERSON.search(name):
        return text
    return mask(text) if len(re.findall(r"\d", text)) > 7 else text  # as many as a mask shows


def _text(text: str) -> str:
    if _ONE_TIME_TEXT.search(text):
        return HIDDEN
    return mask_in_text(_SECRET_IN_TEXT.sub(rf"\1{HIDDEN}", text))
