"""What may stand in the audit log: little, masked, and no secret."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from common.kernel.phone import mask_in_text

MOST_CHARACTERS = 300
MOST_MEMBERS = 30
DEEPEST = 4
HIDDEN = "(not shown)"
SECRET = re.compile(
    r"secret|token|passw|passphrase|authorization|credential|signature|cookie|hash|(?:api|access|private)[-_]?key",
    re.IGNORECASE,
)
"""In the name of what nobody may read."""


class Outcome(StrEnum):
    """What became of a change: `unknown` from before it is begun until its end is known, for good after a crash."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


def small(value: Any, depth: int = 0) -> Any:
    """A value as the audit log keeps it: cut to size, numbers masked, what is named like a secret left out."""
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    if isinstance(value, str):
        return masked(value)
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        members = list(value.items())[:MOST_MEMBERS]
        return {_name(name): HIDDEN if SECRET.search(str(name)) else small(one, depth + 1) for name, one in members}
    if isinstance(value, Sequence | set | frozenset):
        return [small(one, depth + 1) for one in list(value)[:MOST_MEMBERS]]
    return masked(str(value))


def masked(text: str) -> str:
    """A text without full numbers, of a bounded length."""
    shown = mask_in_text(text)
    return shown if len(shown) <= MOST_CHARACTERS else f"{shown[: MOST_CHARACTERS - 1]}…"


def _name(name: object) -> str:
    return masked(str(name)).replace("\0", "") or "(unnamed)"
