"""How somebody is found in a text nobody could read: the body of an envelope that was parked."""

import json
import re
from collections.abc import Collection, Iterable, Sequence

from common.kernel.email import looks_like_email, normalise_email
from common.kernel.phone import normalise_recipient

_BETWEEN = r"[\s.()\-]{0,3}"
_BEGIN = r"(?:(?<!\d)|(?<=\\u[0-9a-f]{4}))"
"""Not within a longer number; what stands before it in JSON may be a character's code."""


def mentions(recipients: Iterable[str], identities: Sequence[str]) -> list[str]:
    """Regular expressions, for any case: a number however it is spaced, an address, or the row a fact is about."""
    found = [_number(one) if one.isdigit() else re.escape(one) for one in recipients if ":" not in one]
    named = "|".join(re.escape(one) for one in identities)
    return [*found, rf'"customer_?id"\s*:\s*"({named})"'] if named else found


def facts_about(identities: Sequence[str]) -> str:
    """Of the facts about rows, those about one of these."""
    named = "|".join(re.escape(one) for one in identities)
    return rf'"id"\s*:\s*"({named})"'


def without(body: str, recipients: Collection[str], patterns: Iterable[str]) -> str | None:
    """A request for several without these recipients; `None` when it is none, is for nobody else, or still speaks of
    them by one of the `patterns`.
    """
    try:
        request = json.loads(body)
    except ValueError:
        return None
    if not isinstance(request, dict):
        return None
    for name in ("to", "items"):
        if not isinstance(request.get(name), list):
            continue
        request[name] = [one for one in request[name] if _recipient(one) not in recipients]
        if not request[name]:
            return None
    left = json.dumps(request, ensure_ascii=False)
    said = any(re.search(pattern, left, re.IGNORECASE) for pattern in patterns)
    return None if said else left


def _recipient(item: object) -> str | None:
    value = item.get("to") if isinstance(item, dict) else item
    if not isinstance(value, str):
        return None
    try:
        return normalise_email(value) if looks_like_email(value) else normalise_recipient(value)
    except ValueError:
        return None


def _number(number: str) -> str:
    """`6281200000001` is `0812-0000-0001` too, but in no longer number."""
    prefix = rf"(?:(?:(?:00)?62{_BETWEEN})?0?{_BETWEEN})"
    return f"{_BEGIN}{prefix}{_BETWEEN.join(number.removeprefix('62'))}(?!\\d)"
