"""Spans of whole days, as they are asked for and as they are told to people."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from common.rendering.calendar import MONTHS

LONGEST = timedelta(days=366)
_WEEK = re.compile(r"(\d{4})-W(\d{2})\Z", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)
_SPAN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:/|\.\.)(\d{4}-\d{2}-\d{2})\Z", re.ASCII)


@dataclass(frozen=True)
class Period:
    """From the first day to the last, both included."""

    first: date
    last: date

    def moments(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """When it begins, and when it is over."""
        return midnight(self.first, zone), midnight(self.last + timedelta(days=1), zone)

    @property
    def told(self) -> str:
        """`10-16 November 2025`, `November 2025`."""
        first, last = self.first, self.last
        if first.day == 1 and _month(first.year, first.month) == self:
            return f"{MONTHS[first.month - 1]} {first.year}"
        end = f"{last.day} {MONTHS[last.month - 1]} {last.year}"
        if first == last:
            return end
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}-{end}"
        year = "" if first.year == last.year else f" {first.year}"
        return f"{first.day} {MONTHS[first.month - 1]}{year} - {end}"


def midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def last_week(today: date) -> Period:
    """Monday to Sunday of the week before."""
    monday = today - timedelta(days=today.weekday() + 7)
    return Period(monday, monday + timedelta(days=6))


def period(text: str | None, today: date) -> Period:
    """`last_week` (as nothing at all), `this_week`, `last_month`, `this_month`, `2025-W46`, `2025-11`,
    `2025-11-10/2025-11-16`. Raises `ValueError` for everything else, and for more than a year.
    """
    week = last_week(today)
    this_month = _month(today.year, today.month)
    before = this_month.first - timedelta(days=1)
    match text:
        case None | "last_week" | "week" | "weekly":
            return week
        case "this_week":
            return Period(week.last + timedelta(days=1), week.last + timedelta(days=7))
        case "last_month" | "month" | "monthly":
            return _month(before.year, before.month)
        case "this_month":
            return this_month
    return _written(text)


def _written(text: str) -> Period:
    if found := _WEEK.match(text):
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return Period(monday, monday + timedelta(days=6))
    if found := _MONTH.match(text):
        return _month(int(found[1]), int(found[2]))
    if found := _SPAN.match(text):
        first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2])
        if first <= last < first + LONGEST:
            return Period(first, last)
    raise ValueError(f"no period: {text[:40]}")


def _month(year: int, month: int) -> Period:
    first = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    return Period(first, following - timedelta(days=1))
