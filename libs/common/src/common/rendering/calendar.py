"""Dates and times as people say them in Indonesian, in the zone a text is rendered for."""

import re
from datetime import date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context

from common.rendering.values import unreadable

ZONE = "__zone__"
"""Where a rendering keeps its zone among the values."""
DEFAULT_ZONE = "Asia/Jakarta"
MONTHS = ("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
          "November", "Desember")  # fmt: skip
SOME_DAY = date(2025, 1, 1)
"""When a time of day is told without its day; only the zone's name hangs on it."""
WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_CLOCK = re.compile(r"([01]\d|2[0-3])[:.]([0-5]\d)\Z", re.ASCII)
_DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def default_zone() -> tzinfo:
    return ZoneInfo(DEFAULT_ZONE)


@pass_context
def tanggal(context: Context, value: object) -> str:
    """`18 November 2025`, of an ISO date or time."""
    day = _day(context, "tanggal", value)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


@pass_context
def hari(context: Context, value: object) -> str:
    """`Selasa`, of an ISO date or time."""
    return WEEKDAYS[_day(context, "hari", value).weekday()]


@pass_context
def jam(context: Context, value: object) -> str:
    """`08.30 WIB`, of an ISO time, or of a time of day (`08:30`) in the zone itself."""
    zone: tzinfo = context.parent[ZONE]
    clock = _CLOCK.match(value) if isinstance(value, str) else None
    if clock is not None:
        told = datetime.combine(SOME_DAY, time(int(clock[1]), int(clock[2])), zone)
    else:
        moment = _moment("jam", value)
        if not isinstance(moment, datetime):
            raise unreadable("jam", value, "a time like 2025-11-18T08:30:00+07:00 or 08:30")
        told = _in_zone(moment, zone)
    return f"{told:%H.%M} {_abbreviation(told)}"


def _day(context: Context, name: str, value: object) -> date:
    moment = _moment(name, value)
    return _in_zone(moment, context.parent[ZONE]).date() if isinstance(moment, datetime) else moment


def _moment(name: str, value: object) -> date | datetime:
    if isinstance(value, date):  # a datetime is one too
        return value
    try:
        if isinstance(value, str):
            return date.fromisoformat(value) if _DATE_ONLY.match(value) else datetime.fromisoformat(value)
    except ValueError as error:
        raise unreadable(name, value, "a date like 2025-11-18") from error
    raise unreadable(name, value, "a date like 2025-11-18")


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """One without an offset is in the zone already."""
    try:
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
    except OverflowError as error:
        raise unreadable("tanggal", str(moment), "a date people live in") from error


def _abbreviation(moment: datetime) -> str:
    """WIB, WITA and WIT in Indonesia; a zone without letters of its own is told by its offset: `UTC+07`."""
    name = moment.tzname() or ""
    return f"UTC{name}" if name[:1] in {"+", "-"} else name
