"""A schedule is due at the moments a person reading the expression and a clock on the wall would say."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.schedule import Schedule

ZONES = ("Asia/Jakarta", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
CHANGES = {
    "Asia/Jakarta": (datetime(2026, 3, 1, tzinfo=UTC),),
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
}
"""Moments at which the clocks of a zone are put forward or back; Jakarta's never are."""
MINUTE = timedelta(minutes=1)


def moments(zone: str, expression: str, begins: str, ends: str) -> list[str]:
    """Due after `begins`, up to and with `ends`; all as clocks of the zone tell them, with their offset."""
    schedule = Schedule(expression, ZoneInfo(zone))
    due = schedule.between(datetime.fromisoformat(begins), datetime.fromisoformat(ends))
    return [one.astimezone(schedule.zone).isoformat(timespec="minutes") for one in due]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_a_daily_job_is_due_once_on_every_day_of_the_year(zone: str, year: int) -> None:
    schedule = Schedule("0 8 * * *", ZoneInfo(zone))
    first = datetime(year, 1, 1, tzinfo=schedule.zone)
    due = schedule.between(first, datetime(year, 12, 31, 23, 59, tzinfo=schedule.zone))
    days = [first.date() + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first.date()).days)]
    told = [one.astimezone(schedule.zone).isoformat()[:19] for one in due]
    assert told == [f"{day}T08:00:00" for day in days]
    assert [schedule.day(one) for one in due] == [day.isoformat() for day in days]


@pytest.mark.parametrize(
    ("zone", "expression", "begins", "ends", "expected"),
    [
        pytest.param(
            "Asia/Jakarta", "0 8 * * *", "2025-11-29T08:00+07:00", "2025-12-02T08:00+07:00",
            ["2025-11-30T08:00+07:00", "2025-12-01T08:00+07:00", "2025-12-02T08:00+07:00"],
            id="the end of a month; the first moment is not part of it, the last one is",
        ),
        pytest.param(
            "Asia/Jakarta", "0 8 29 2 *", "2023-01-01T00:00+07:00", "2030-01-01T00:00+07:00",
            ["2024-02-29T08:00+07:00", "2028-02-29T08:00+07:00"],
            id="a leap day",
        ),
        pytest.param(
            "Asia/Jakarta", "0 0 L * *", "2024-01-15T00:00+07:00", "2024-05-01T00:00+07:00",
            ["2024-01-31T00:00+07:00", "2024-02-29T00:00+07:00", "2024-03-31T00:00+07:00", "2024-04-30T00:00+07:00"],
            id="the last day of each month",
        ),
        pytest.param(
            "Asia/Jakarta", "0 8 * * 1", "2026-02-20T00:00+07:00", "2026-03-10T00:00+07:00",
            ["2026-02-23T08:00+07:00", "2026-03-02T08:00+07:00", "2026-03-09T08:00+07:00"],
            id="Mondays",
        ),
        pytest.param(
            "Europe/Berlin", "30 2 * * *", "2026-03-28T00:00+01:00", "2026-03-30T12:00+02:00",
            ["2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"],
            id="a time no clock tells comes right after the gap",
        ),
        pytest.param(
            "Europe/Berlin", "0,30 2,3 * * *", "2026-03-29T00:00+01:00", "2026-03-29T12:00+02:00",
            ["2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00"],
            id="however many come right after the gap, once",
        ),
        pytest.param(
            "Europe/Berlin", "30 2 * * *", "2026-10-24T12:00+02:00", "2026-10-26T12:00+01:00",
            ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
            id="of a time told twice the first",
        ),
        pytest.param(
            "Europe/Berlin", "30 2 * * *", "2026-10-25T02:40+02:00", "2026-10-26T00:00+01:00", [],
            id="it is not due again when one begins to look between the two",
        ),
        pytest.param(
            "Australia/Lord_Howe", "15 2 * * *", "2026-10-03T00:00+10:30", "2026-10-05T12:00+11:00",
            ["2026-10-03T02:15+10:30", "2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"],
            id="a gap of half an hour",
        ),
        pytest.param(
            "Australia/Lord_Howe", "45 1 * * *", "2026-04-04T12:00+11:00", "2026-04-06T12:00+10:30",
            ["2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"],
            id="half an hour told twice",
        ),
        pytest.param(
            "Australia/Lord_Howe", "*/30 3 * * *", "2026-10-04T00:00+10:30", "2026-10-04T12:00+11:00",
            ["2026-10-04T03:00+11:00", "2026-10-04T03:30+11:00"],
            id="often in one hour after a gap of half an hour",
        ),
        pytest.param(
            "Europe/Berlin", "*/30 * * * *", "2026-10-25T01:30+02:00", "2026-10-25T03:00+01:00",
            ["2026-10-25T02:00+02:00", "2026-10-25T02:30+02:00", "2026-10-25T02:00+01:00", "2026-10-25T02:30+01:00",
             "2026-10-25T03:00+01:00"],
            id="every hour goes on while an hour is told twice",
        ),
        pytest.param(
            "Europe/Berlin", "*/30 * * * *", "2026-03-29T01:00+01:00", "2026-03-29T03:30+02:00",
            ["2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00"],
            id="every hour goes on over a gap",
        ),
        pytest.param(
            "Europe/Berlin", "15 */2 * * *", "2026-10-25T00:15+02:00", "2026-10-25T04:15+01:00",
            ["2026-10-25T02:15+02:00", "2026-10-25T04:15+01:00"],
            id="every other hour is certain hours, told twice",
        ),
        pytest.param(
            "Europe/Berlin", "15 */2 * * *", "2026-03-29T00:15+01:00", "2026-03-29T04:15+02:00",
            ["2026-03-29T03:00+02:00", "2026-03-29T04:15+02:00"],
            id="every other hour is certain hours, left out",
        ),
        pytest.param(
            "America/New_York", "0 0 1 * *", "2026-10-15T00:00-04:00", "2026-12-15T00:00-05:00",
            ["2026-11-01T00:00-04:00", "2026-12-01T00:00-05:00"],
            id="the first of a month on which clocks are put back",
        ),
        pytest.param(
            "Pacific/Apia", "0 8 * * *", "2011-12-29T00:00-10:00", "2012-01-01T00:00+14:00",
            ["2011-12-29T08:00-10:00", "2011-12-31T00:00+14:00", "2011-12-31T08:00+14:00"],
            id="a day that a zone left out",
        ),
    ],
)  # fmt: skip
def test_it_is_due_when_the_clock_on_the_wall_says_so(
    zone: str, expression: str, begins: str, ends: str, expected: list[str]
) -> None:
    assert moments(zone, expression, begins, ends) == expected


@st.composite
def spans(draw: st.DrawFn) -> tuple[Schedule, datetime, datetime]:
    """A schedule and some days around a moment at which the clocks of its zone change."""
    zone = draw(st.sampled_from(ZONES))
    begins = draw(st.sampled_from(CHANGES[zone])) - timedelta(minutes=draw(st.integers(0, 3 * 1440)))
    ends = begins + timedelta(minutes=draw(st.integers(1, 6 * 1440)))
    minutes = draw(st.sampled_from(["0", "15", "30", "59", "0,30", "5-7", "*/15", "*"]))
    hours = draw(st.sampled_from(["0", "1", "2", "3", "8", "23", "0,2,3", "1-3", "*/2", "*"]))
    days = draw(st.sampled_from(["* * *", "* * *", "* * 0", "25,29 * *", "1-8 * *"]))
    return Schedule(f"{minutes} {hours} {days}", ZoneInfo(zone)), begins, ends


def walked(schedule: Schedule, begins: datetime, ends: datetime) -> Iterator[datetime]:
    """The same, found by looking at the clock on the wall every minute and remembering what it told before."""
    matching = Schedule(schedule.expression, ZoneInfo("UTC"))
    fields = schedule.expression.split()
    every_hour = fields[1] == "*"

    def told(moment: datetime) -> datetime:
        return moment.astimezone(schedule.zone).replace(tzinfo=UTC, fold=0)

    moment = begins - timedelta(hours=6)
    wanted = set(matching.between(told(moment) - timedelta(days=1), told(ends) + timedelta(days=1)))
    before: set[datetime] = set()
    last = told(moment) - MINUTE
    while moment <= ends:
        now = told(moment)
        passed = {last + number * MINUTE for number in range(1, int((now - last) / MINUTE))}
        again = now in before and not every_hour
        left_out = bool(passed & wanted) and not every_hour
        if moment > begins and ((now in wanted and not again) or left_out):
            yield moment
        before |= {now, *passed}
        last, moment = now, moment + MINUTE


@given(spans())
@settings(max_examples=150, deadline=None)
def test_it_is_due_exactly_when_a_walk_minute_by_minute_finds_it_due(span: tuple[Schedule, datetime, datetime]) -> None:
    schedule, begins, ends = span
    assert schedule.between(begins, ends) == list(walked(schedule, begins, ends))


@given(spans(), st.lists(st.integers(1, 4000), max_size=30))
@settings(max_examples=150, deadline=None)
def test_looking_often_or_seldom_finds_each_firing_once(
    span: tuple[Schedule, datetime, datetime], steps: list[int]
) -> None:
    schedule, begins, ends = span
    found: list[datetime] = []
    looked = begins
    for seconds in [*steps, 10 * 1440 * 60]:
        until = min(looked + timedelta(seconds=seconds, milliseconds=7), ends)
        found += schedule.between(looked, until)
        looked = until
    assert found == schedule.between(begins, ends)


@given(spans())
@settings(max_examples=100, deadline=None)
def test_the_next_one_is_the_first_of_those_that_come(span: tuple[Schedule, datetime, datetime]) -> None:
    schedule, begins, ends = span
    due = schedule.between(begins, ends)
    upcoming = schedule.next_after(begins)
    assert upcoming is not None
    assert [upcoming] == due[:1] or (not due and upcoming > ends)


def test_the_next_one_comes_before_the_hour_is_told_again() -> None:
    schedule = Schedule("*/15 * * * *", ZoneInfo("Europe/Berlin"))
    upcoming = schedule.next_after(datetime.fromisoformat("2026-10-25T02:40+02:00"))
    assert upcoming == datetime.fromisoformat("2026-10-25T02:45+02:00")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "wrong number of fields"),
        ("8 o'clock", "wrong number of fields"),
        ("60 8 * * *", "bad minute"),
        ("0 24 * * *", "bad hour"),
        ("0 8 0 * *", "bad day-of-month"),
        ("0 8 * 13 *", "bad month"),
        ("0 8 * * NEVER", "bad day-of-week"),
        ("0 8 30 2 *", "bad day-of-month"),
        ("0 8 * * * * *", "wrong number of fields"),
    ],
)
def test_what_is_no_cron_expression_is_refused_with_what_is_wrong(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Schedule(expression, ZoneInfo("Asia/Jakarta"))
