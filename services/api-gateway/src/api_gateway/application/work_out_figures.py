"""Work out the figures a notification is told with when whoever asks for it gives none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Protocol

from api_gateway.domain.refusals import invalid
from common.kernel.clock import Clock
from common.rendering.periods import Period, period
from common.rendering.summaries import of_day, of_technician

EARLIEST = date(2000, 1, 1)
FURTHEST = timedelta(days=365)
"""How far ahead figures may be asked for."""


class Figures(Protocol):
    async def of_tickets(self, begins: datetime, ends: datetime, *, now: datetime) -> dict[str, Any]: ...

    async def of_technicians(self, begins: datetime, ends: datetime) -> Mapping[str, dict[str, Any]]: ...


@dataclass(frozen=True)
class WorkOutFigures:
    figures: Figures
    clock: Clock
    zone: tzinfo

    async def day(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The data of a `daily_summary`: what is given, or of the day it names (today) what the tickets tell."""
        today = self.clock.now().astimezone(self.zone).date()
        day = _day(given.get("date"), today)
        _check_within("date", Period(day, day), today)
        if set(given) - {"date"}:
            return {"date": today.isoformat(), **given}
        begins, ends = Period(day, day).moments(self.zone)
        counted = await self.figures.of_tickets(begins, ends, now=self.clock.now())
        return of_day(day, counted)

    async def technician(self, technician_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The data of a `technician_performance`: what is given, or what the tickets of the period tell. The period of
        given figures may have any name.
        """
        complete = bool(set(given) - {"period"})
        today = self.clock.now().astimezone(self.zone).date()
        try:
            span = period(given.get("period"), today)
        except (TypeError, ValueError, OverflowError) as error:
            if complete:
                return {**given}
            raise invalid(
                "period", "must be like last_week, last_month, 2025-W46, 2025-11 or 2025-11-10/2025-11-16"
            ) from error
        _check_within("period", span, today)
        if complete:
            return {**given}
        figures = await self.figures.of_technicians(*span.moments(self.zone))
        return of_technician(span, figures.get(technician_id))


def _day(given: object, today: date) -> date:
    if given is None:
        return today
    try:
        return date.fromisoformat(str(given))
    except ValueError as error:
        raise invalid("date", "must be a date, like 2025-11-18") from error


def _check_within(field: str, span: Period, today: date) -> None:
    """At the ends of the calendar a day has no midnight before or after it that could be told in UTC."""
    latest = today + FURTHEST
    if span.first < EARLIEST or span.last > latest:
        raise invalid(field, f"must lie between {EARLIEST.isoformat()} and {latest.isoformat()}")
