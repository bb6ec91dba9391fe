"""What may stand in a message and in its values."""

import math
import re
import unicodedata
from collections.abc import Mapping

from api_gateway.domain.refusals import Code, invalid
from common.kernel.text import first_control_character, normalise_message

MOST_CHARACTERS = 4_096
MOST_VALUES = 200
MOST_VALUE_CHARACTERS = 16_384
MOST_DEPTH = 5
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_LARGEST = 2**63


def check_source(field: str, text: str) -> str:
    """A text from outside with one kind of line end; raises `Refused` for control characters, naming the position
    counted from 1.
    """
    normal = normalise_message(text)
    position = first_control_character(normal)
    if position is not None:
        raise invalid(field, f"control character U+{ord(normal[position]):04X} at position {position + 1}; remove it")
    return normal


def check_text(field: str, text: str) -> None:
    """Raise `Refused` when there is nothing to read, or more than a provider takes."""
    if all(character.isspace() or unicodedata.category(character) == "Cf" for character in text):
        raise invalid(field, "there is no text to send; write at least one visible character", Code.EMPTY_MESSAGE)
    if len(text) > MOST_CHARACTERS:
        raise invalid(field, f"{len(text):,} characters; at most {MOST_CHARACTERS:,} can be sent")


class _Checked:
    """Walks through a template's values, counting."""

    def __init__(self) -> None:
        self.values = -1  # the object around them is none
        self.characters = 0

    def check(self, field: str, value: object, depth: int = 0) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            raise invalid(field, f"more than {MOST_VALUES} values")
        if depth > MOST_DEPTH:
            raise invalid(field, f"nested more than {MOST_DEPTH} levels deep")
        match value:
            case str():
                self._count(field, value)
                check_source(field, value)
            case bool() | None:
                pass
            case int() if not -_LARGEST <= value < _LARGEST:
                raise invalid(field, "a number beyond 64 bits; give it as a text")
            case float() if not math.isfinite(value):
                raise invalid(field, "not a finite number; give it as a text")
            case list():
                for index, item in enumerate(value):
                    self.check(f"{field}.{index}", item, depth + 1)
            case dict():
                self._check_object(field, value, depth)

    def _check_object(self, field: str, value: Mapping[str, object], depth: int) -> None:
        for name, item in value.items():
            if not _NAME.match(name):
                raise invalid(field, f"{name[:40]!a} is no name: a letter, then letters, digits and _, at most 64")
            self._count(field, name)
            self.check(f"{field}.{name}", item, depth + 1)

    def _count(self, field: str, text: str) -> None:
        self.characters += len(text)
        if self.characters > MOST_VALUE_CHARACTERS:
            raise invalid(field, f"more than {MOST_VALUE_CHARACTERS:,} characters of values")


def check_values(field: str, values: Mapping[str, object]) -> None:
    """Raise `Refused`, naming the value, for data that cannot be stored or would be expensive to render."""
    _Checked().check(field, dict(values))


def check_otp(data: Mapping[str, object] | None) -> None:
    """An `otp` has a code that nothing can hide in, and may say what it is for."""
    if data is None:
        raise invalid("data", 'needed: {"code": "123456", "purpose": "masuk"}')
    unknown = sorted(set(data) - {"code", "purpose"})
    if unknown:
        raise invalid(f"data.{unknown[0][:40]}", "unknown field; otp takes code and purpose")
    code = data.get("code")
    if not (isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9-]{3,12}", code)):
        raise invalid("data.code", 'needed: a text of 3 to 12 letters, digits and dashes, like "123456"')
    purpose = data.get("purpose")
    if purpose is not None and not (isinstance(purpose, str) and 0 < len(purpose.strip()) <= 80):
        raise invalid("data.purpose", "a text of 1 to 80 characters, or leave it out")
