"""When somebody is warned of a ticket."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.contracts.service_levels import deadline_of, warned_from
from scheduler.domain.sla import every, is_warned_of, minutes_left, warned_at

OPENED = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def ticket(priority: str | None = "urgent", **changed: Any) -> dict[str, Any]:
    return {"_id": "T-1", "status": "open", "priority": priority, "opened_at": OPENED, **changed}


@pytest.mark.parametrize(
    ("priority", "within", "before"), [("urgent", 4, 1), ("high", 8, 2), ("normal", 24, 4), ("low", 48, 8)]
)
def test_each_priority_has_its_time_and_is_warned_of_so_long_before(priority: str, within: int, before: int) -> None:
    one = ticket(priority)
    deadline = OPENED + timedelta(hours=within)
    begins = deadline - timedelta(hours=before)
    assert deadline_of(one) == deadline
    assert not is_warned_of(one, begins - MILLISECOND)
    assert is_warned_of(one, begins)
    assert is_warned_of(one, deadline)
    assert is_warned_of(one, deadline + timedelta(days=30))


def test_a_deadline_that_was_told_counts_instead() -> None:
    one = ticket("low", deadline=OPENED + timedelta(hours=10))
    assert warned_from(one) == OPENED + timedelta(hours=2)


def test_a_deadline_without_a_priority_is_warned_of_as_a_normal_one() -> None:
    one = ticket(None, deadline=OPENED + timedelta(hours=10))
    assert warned_from(one) == OPENED + timedelta(hours=6)


@pytest.mark.parametrize("one", [ticket(None), ticket(opened_at=None), {"_id": "T-1", "status": "open"}], ids=str)
def test_of_what_nobody_said_enough_nobody_is_warned(one: dict[str, Any]) -> None:
    assert (deadline_of(one), warned_from(one)) == (None, None)
    assert not is_warned_of(one, OPENED + timedelta(days=365))


@pytest.mark.parametrize(
    ("after_opening", "left"),
    [
        (timedelta(hours=3), 60),
        (timedelta(hours=3, seconds=1), 59),
        (timedelta(hours=4), 0),
        (timedelta(hours=4, seconds=59), 0),
        (timedelta(hours=4, minutes=1), -1),
        (timedelta(days=365), -100_000),
    ],
)
def test_the_minutes_left_are_whole_ones(after_opening: timedelta, left: int) -> None:
    assert minutes_left(ticket(), OPENED + after_opening) == left


def test_a_ticket_more_than_a_day_late_is_warned_of_once_a_day() -> None:
    late = OPENED + timedelta(hours=4, days=1)
    assert every(ticket(), late) == timedelta(minutes=30)
    assert every(ticket(), late + MILLISECOND) == timedelta(days=1)


@pytest.mark.parametrize(
    ("late", "counts_as"),
    [(0.0, 0.0), (0.4, 0.0), (59.9, 0.0), (60.0, 60.0), (900.0, 900.0), (-5.0, -5.0)],
)
def test_a_run_in_time_warns_at_the_moment_it_was_due(late: float, counts_as: float) -> None:
    assert warned_at(OPENED, OPENED + timedelta(seconds=late)) == OPENED + timedelta(seconds=counts_as)
