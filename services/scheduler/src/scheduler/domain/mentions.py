"""How somebody is found in a text nobody could read: the body of an envelope that was parked."""

import re
from collections.abc import Iterable, Sequence

_BETWEEN = r"[\s.()\-]{0,3}"


def mentions(recipients: Iterable[str], identities: Sequence[str]) -> list[str]:
    """Regular expressions, for any case: a number however it is spaced, an address, or the row a fact is about."""
    found = [_number(one) if one.isdigit() else re.escape(one) for one in recipients if ":" not in one]
    named = "|".join(re.escape(one) for one in identities)
    return [*found, rf'"customer_?id"\s*:\s*"({named})"'] if named else found


def facts_about(identities: Sequence[str]) -> str:
    """Of the facts about rows, those about one of these."""
    named = "|".join(re.escape(one) for one in identities)
    return rf'"id"\s*:\s*"({named})"'


def _number(number: str) -> str:
    """`6281200000001` is `0812-0000-0001` too."""
    return _BETWEEN.join(number.removeprefix("62"))
