"""Of the firings nobody looked at in time the newest is run, unless it is too old."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.catching_up import MOST_MISSED, CaughtUp, catch_up

NOW = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
LIMIT = timedelta(hours=6)


def ago(**spans: float) -> datetime:
    return NOW - timedelta(**spans)


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ([], CaughtUp(None, [])),
        ([ago(seconds=1)], CaughtUp(ago(seconds=1), [])),
        ([ago(hours=6)], CaughtUp(ago(hours=6), [])),
        ([ago(hours=6, seconds=1)], CaughtUp(None, [ago(hours=6, seconds=1)])),
        ([ago(hours=3), ago(hours=2), ago(hours=1)], CaughtUp(ago(hours=1), [ago(hours=3), ago(hours=2)])),
        ([ago(days=3), ago(days=2)], CaughtUp(None, [ago(days=3), ago(days=2)])),
    ],
)
def test_the_newest_is_run_and_the_others_are_missed(due: list[datetime], expected: CaughtUp) -> None:
    assert catch_up(due, now=NOW, oldest=LIMIT) == expected


def test_of_very_many_the_latest_are_written_down() -> None:
    due = [ago(minutes=15 * number) for number in range(1000, 0, -1)]
    caught = catch_up(due, now=NOW, oldest=LIMIT)
    assert caught == CaughtUp(due[-1], due[-1 - MOST_MISSED : -1])
    assert catch_up(due[:10], now=NOW, oldest=LIMIT).missed == due[:10]
