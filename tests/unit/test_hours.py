"""Hours in which messages may go out: past midnight, in any zone, over changes of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.contracts.documents import Hours
from dispatcher.domain.hours import lined_up_at, opens_at, put_off, within
from tests.support.dispatching.model import START, after, applied, queued

DAYTIME = Hours(begins="07:00", ends="21:00")
OVERNIGHT = Hours(begins="21:00", ends="07:00")
ALWAYS = Hours(begins="00:00", ends="00:00")


def at(text: str, zone: str = "Asia/Jakarta") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "now", "opens"),
    [
        (DAYTIME, "2025-11-15T06:59:59", "2025-11-15T07:00"),
        (DAYTIME, "2025-11-15T07:00:00", None),
        (DAYTIME, "2025-11-15T20:59:59", None),
        (DAYTIME, "2025-11-15T21:00:00", "2025-11-16T07:00"),
        (DAYTIME, "2025-11-15T23:59:59", "2025-11-16T07:00"),
        (DAYTIME, "2025-11-16T00:00:00", "2025-11-16T07:00"),
        (DAYTIME, "2025-12-31T22:00:00", "2026-01-01T07:00"),
        (OVERNIGHT, "2025-11-15T06:59:59", None),
        (OVERNIGHT, "2025-11-15T07:00:00", "2025-11-15T21:00"),
        (OVERNIGHT, "2025-11-15T20:59:59", "2025-11-15T21:00"),
        (OVERNIGHT, "2025-11-15T21:00:00", None),
        (OVERNIGHT, "2025-11-16T00:00:00", None),
        (ALWAYS, "2025-11-15T03:00:00", None),
        (Hours(begins="00:00", ends="08:30"), "2025-11-15T08:30:00", "2025-11-16T00:00"),
    ],
)
def test_what_is_outside_of_the_hours_waits_until_they_begin(hours: Hours, now: str, opens: str | None) -> None:
    assert opens_at(hours, at(now), ZoneInfo("Asia/Jakarta")) == (None if opens is None else at(opens))


def test_the_hours_are_those_of_the_zone() -> None:
    # 22:00 in Jakarta is midnight in Jayapura and 15:00 in UTC.
    now = at("2025-11-15T22:00:00")
    assert opens_at(DAYTIME, now, ZoneInfo("UTC")) is None
    assert opens_at(DAYTIME, now, ZoneInfo("Asia/Jayapura")) == at("2025-11-16T07:00", "Asia/Jayapura")


@pytest.mark.parametrize(
    ("begins", "now", "opens"),
    [
        # Berlin leaps from 02:00 to 03:00 on 30 March 2025: 02:30 comes an hour later than it is written.
        ("02:30", "2025-03-29T23:30:00+00:00", "2025-03-30T01:30:00+00:00"),
        ("07:00", "2025-03-29T22:00:00+00:00", "2025-03-30T05:00:00+00:00"),
        # From 03:00 back to 02:00 on 26 October 2025: 02:30 comes twice, and between them it is outside again.
        ("02:30", "2025-10-25T23:30:00+00:00", "2025-10-26T00:30:00+00:00"),
        ("02:30", "2025-10-26T01:10:00+00:00", "2025-10-26T01:30:00+00:00"),
        ("07:00", "2025-10-25T22:00:00+00:00", "2025-10-26T06:00:00+00:00"),
    ],
)
def test_a_change_of_the_clock_moves_the_hours_with_it(begins: str, now: str, opens: str) -> None:
    hours = Hours(begins=begins, ends="21:00")
    assert opens_at(hours, datetime.fromisoformat(now), ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(opens)


minutes = st.integers(0, 24 * 60 - 1).map(lambda m: f"{m // 60:02d}:{m % 60:02d}")
moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)).map(lambda m: m.replace(tzinfo=UTC))  # noqa: DTZ001 - given below
zones = st.sampled_from(["Asia/Jakarta", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"])


@given(minutes, minutes, moments, zones)
def test_whatever_the_hours_and_the_zone_it_waits_for_a_later_moment_within_them(
    begins: str, ends: str, now: datetime, zone: str
) -> None:
    hours, there = Hours(begins=begins, ends=ends), ZoneInfo(zone)
    opens = opens_at(hours, now, there)
    assert (opens is None) == within(hours, now, there)
    if opens is not None:
        assert within(hours, opens, there)
        assert timedelta() < opens - now <= timedelta(hours=49)


def test_a_head_outside_of_its_hours_leaves_its_lane_and_keeps_its_place() -> None:
    # The model starts at 10:00 in Jakarta.
    first, second = queued(hours=DAYTIME), queued(hours=DAYTIME)
    second["queued_at"] = after(1)
    night = after(12 * 3600)
    changed = applied(first, put_off(first, night, ZoneInfo("Asia/Jakarta")))
    morning = START + timedelta(hours=21)
    assert (changed["status"], changed["wake_at"], "lane" in changed) == ("scheduled", morning, False)
    assert changed["queued_at"] < lined_up_at(second["queued_at"], morning) < morning
    assert morning - changed["queued_at"] < timedelta(minutes=2)


def test_one_whose_validity_ends_before_its_hours_begin_is_looked_at_then() -> None:
    delivery = queued(hours=DAYTIME, validity=13 * 3600.0)
    change = put_off(delivery, after(12 * 3600), ZoneInfo("Asia/Jakarta"))
    assert change is not None
    assert (change.cause, change.wake_at) == ("quiet hours until 07:00", delivery["expires_at"])


def test_what_has_no_hours_or_is_within_them_goes() -> None:
    assert put_off(queued(), after(12 * 3600), ZoneInfo("Asia/Jakarta")) is None
    assert put_off(queued(hours=DAYTIME), after(0), ZoneInfo("Asia/Jakarta")) is None
