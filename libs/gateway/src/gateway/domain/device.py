"""What a provider says of the device behind an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from gateway.domain.answer import Refused
from gateway.domain.dialect import whole_number

CONNECTED = {"connect": True, "connected": True, "disconnect": False, "disconnected": False}
UNLIMITED = frozenset({"unlimited", "master"})
_MONTHS = (
    ("jan",), ("feb", "peb"), ("mar",), ("apr",), ("may", "mei"), ("jun",), ("jul",), ("aug", "agu"), ("sep",),
    ("oct", "okt"), ("nov", "nop"), ("dec", "des"),
)  # fmt: skip
_UNIX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Device:
    """`names`: every one that webhooks may call it by. What is `None` was not said.

    `refused`: the provider answers, but not about the device; `unlimited`: there is no quota to run out of.
    """

    names: frozenset[str] = frozenset()
    connected: bool | None = None
    quota: int | None = None
    unlimited: bool = False
    expires_on: date | None = None
    refused: Refused | None = None


def quota_of(value: Any) -> tuple[int | None, bool]:
    """How many messages are left, and whether that does not matter."""
    unlimited = isinstance(value, str) and value.strip().lower() in UNLIMITED
    return whole_number(value), unlimited


def connection_of(fields: Mapping[str, Any], *names: str) -> bool | None:
    """What the first of these fields that is a text says."""
    said = next((value for name in names if isinstance(value := fields.get(name), str)), "")
    return CONNECTED.get(said.strip().lower())


def day_of(value: Any) -> date | None:
    """A day as ISO text, as Unix seconds, or as `18 November 2029` in English or Indonesian."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    try:
        if text.isdecimal() and len(text) >= _UNIX_DIGITS:
            return datetime.fromtimestamp(int(text), UTC).date()
        return _in_words(text) or datetime.fromisoformat(text).date()
    except (ValueError, OverflowError, OSError):
        return None


def _in_words(text: str) -> date | None:
    parts = text.replace(",", " ").split()
    if len(parts) != 3 or not (parts[0].isdecimal() and parts[2].isdecimal()):
        return None
    month = next((number for number, names in enumerate(_MONTHS, 1) if parts[1][:3].lower() in names), 0)
    return date(int(parts[2]), month, int(parts[0]))
