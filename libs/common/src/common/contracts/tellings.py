"""One telling of a row: what it says, since when, and which of two tellings of a field is the later one."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from common.contracts.directory import DONE_TICKETS, Row, Ticket
from common.kernel.clock import to_milliseconds
from common.kernel.email import InvalidEmail, normalise_email
from common.kernel.phone import InvalidPhone, is_group, normalise_recipient
from common.kernel.text import first_control_character, normalise_message

OURS = frozenset({"_id", "told", "occasions", "changed_at", "found_as"})
"""What a stored row has besides the fields that were told."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SURMISED = -(2**61)
"""Before every stamp of what was told, after that of what nobody told."""
Stamp = tuple[int, int]
"""Microseconds since 1970 and the version; as precise as the telling was."""
Value = str | int | datetime


class Unfit(ValueError):  # noqa: N818 - failures are adjectives here
    """A field's value cannot be kept; `reason` says what to write instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Erased(Unfit):
    """It was told before somebody whose number or address it names was erased."""

    def __init__(self, field: str) -> None:
        super().__init__(field, "whoever had it was erased after this was told; what is told from now on is kept")


def microseconds(moment: datetime) -> int:
    """Since 1970, as stamps have them."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Telling:
    """Somebody's word about a row at a moment. `occasion` names the kind of fact it came with, if it was one:
    the row keeps the latest of each kind.
    """

    row: Row
    occurred_at: datetime
    version: int = 0
    occasion: str | None = None

    @property
    def stamp(self) -> Stamp:
        return microseconds(self.occurred_at), self.version

    @property
    def surmised(self) -> dict[str, tuple[Stamp, Value]]:
        """What a fact about a ticket lets one believe as long as nobody tells it: that it was opened when it was said
        to be created, and resolved when it was first said to be. Each has its stamp: the earliest counts.
        """
        if not isinstance(self.row, Ticket):
            return {}
        stamp = (_SURMISED - self.stamp[0], 0)
        at = to_milliseconds(self.occurred_at.astimezone(UTC))
        said: dict[str, tuple[Stamp, Value]] = {}
        if self.occasion == "ticket_created" and self.row.opened_at is None:
            said["opened_at"] = stamp, at
        if self.occasion is not None and self.row.status in DONE_TICKETS and self.row.resolved_at is None:
            said["resolved_at"] = stamp, at
        return said

    @property
    def addresses(self) -> dict[str, str]:
        """The number and the e-mail address it tells, by field, as they are stored; one that is unfit is left out."""
        told: dict[str, str] = {}
        for name, spelled in _ADDRESSES.items():
            value = getattr(self.row, name, None)
            if value is not None:
                with suppress(Unfit):
                    told[name] = spelled(value)
        return told

    def fields(self, zone: tzinfo) -> dict[str, Value]:
        """What it tells, as it is stored: numbers and texts the one way they are spelled, days as `2025-11-18`,
        moments in UTC (one without an offset is in `zone`). Raises `Unfit` naming the field.
        """
        said = ((name, getattr(self.row, name)) for name in type(self.row).model_fields if name != "id")
        return {name: _spelled(name, value, zone) for name, value in said if value is not None}


class Outcome(StrEnum):
    """What a telling made of its row; `unchanged` when it said nothing that was not known or was told later."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Told:
    """What came of one telling: the fields whose value it changed, or why it was refused."""

    id: str
    outcome: Outcome
    changed: tuple[str, ...] = ()
    problem: Unfit | None = None


def overtaken(row: Mapping[str, Any], telling: Telling) -> bool:
    """Whether a later fact of the same kind was told of this row."""
    stamp = row.get("occasions", {}).get(telling.occasion)
    return stamp is not None and tuple(stamp) > telling.stamp


def _spelled(name: str, value: Any, zone: tzinfo) -> Value:
    match value:
        case StrEnum():
            return value.value
        case str():
            return _ADDRESSES[name](value) if name in _ADDRESSES else _text(name, value)
        case datetime():
            return _moment(name, value, zone)
        case date():
            return value.isoformat()
        case _:
            return int(value)


def _phone(value: str) -> str:
    try:
        number = normalise_recipient(value)
    except InvalidPhone as error:
        raise Unfit("phone", str(error)) from error
    if is_group(number):
        raise Unfit("phone", "a group is nobody's number; give a number like 6281200000001")
    return number


def _email(value: str) -> str:
    try:
        return normalise_email(value)
    except InvalidEmail as error:
        raise Unfit("email", str(error)) from error


_ADDRESSES = {"phone": _phone, "email": _email}


def _text(name: str, value: str) -> str:
    text = normalise_message(value).strip()
    if not text:
        raise Unfit(name, "is blank; leave it out instead")
    position = first_control_character(text)
    if position is not None:
        raise Unfit(name, f"control character U+{ord(text[position]):04X} at position {position + 1}; remove it")
    return text


def _moment(name: str, value: datetime, zone: tzinfo) -> datetime:
    try:
        aware = value if value.tzinfo is not None else value.replace(tzinfo=zone)
        return to_milliseconds(aware.astimezone(UTC))
    except OverflowError as error:
        raise Unfit(name, "is out of range") from error
