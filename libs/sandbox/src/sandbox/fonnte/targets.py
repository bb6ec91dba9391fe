"""What Fonnte makes of the ``target`` field."""

import re
from dataclasses import dataclass

from sandbox.fonnte.failure import FonnteFailure

GROUP = re.compile(r"(\d{15,20}|\d{8,15}-\d{10})@g\.us")
BARE_GROUP = re.compile(r"\d{16,20}|\d{8,15}-\d{10}")
NUMBER = re.compile(r"\d{8,15}", re.ASCII)


@dataclass(slots=True, frozen=True)
class Target:
    """One target: a number in ``62...`` form or a group id, and the values of its variables."""

    recipient: str
    variables: tuple[str, ...] = ()

    def personalise(self, text: str) -> str:
        """Fill ``{name}``, ``{var1}``, ``{var2}`` in; source: docs.fonnte.com/api-send-message."""
        if not self.variables:
            return text
        for name, value in zip(("name", "var1", "var2", "var3", "var4"), self.variables, strict=False):
            text = text.replace("{" + name + "}", value)
        return text


def read_targets(text: str, country_code: str) -> list[Target]:
    """Split ``number|name|v1,number|...``; unusable numbers are left out, ``FonnteFailure`` when none remains."""
    targets = [target for part in text.split(",") if part and (target := _read(part, country_code))]
    if not targets:
        raise FonnteFailure("target invalid")
    return targets


def _read(part: str, country_code: str) -> Target | None:
    name, *variables = part.split("|")
    name = name.strip()
    if "@" in name:
        if GROUP.fullmatch(name):
            return Target(name, tuple(variables))
        # Seen in the field: an address of a person is taken for a broken body, a broken group for bad syntax.
        raise FonnteFailure("invalid/empty body value" if name.endswith("@s.whatsapp.net") else "target input invalid")
    if BARE_GROUP.fullmatch(name):
        raise FonnteFailure("target input invalid")
    number = to_international(name, country_code)
    return Target(number, tuple(variables)) if NUMBER.fullmatch(number) else None


def to_international(number: str, country_code: str) -> str:
    """Replace a leading 0 by the country code; code ``0`` leaves numbers alone."""
    number = number.removeprefix("+")
    return country_code + number[1:] if country_code != "0" and number.startswith("0") else number
