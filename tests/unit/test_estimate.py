"""The estimated finish is what a sender that obeys its pacing and limits really needs."""

from datetime import UTC, datetime, timedelta

import pytest

from api_gateway.domain.estimate import Pace, duration, finish, offset

NOW = datetime(2025, 11, 15, 2, 0, tzinfo=UTC)


def simulated(count: int, pace: Pace) -> list[float]:
    """When each message goes out if every one goes as early as it may."""
    sent: list[float] = []
    windows = ((pace.per_minute, 60.0), (pace.per_hour, 3600.0), (pace.per_day, 86400.0))
    for number in range(count):
        earliest = sent[-1] + pace.gap if sent else 0.0
        for limit, seconds in windows:
            if limit and number >= limit:
                earliest = max(earliest, sent[number - limit] + seconds)
        sent.append(earliest)
    return sent


@pytest.mark.parametrize(
    "pace",
    [
        Pace(10, 10, 100, 500),
        Pace(0, 10, 100, 500),
        Pace(0, 0, 0, 500),
        Pace(10, 0, 0, 0),
        Pace(0, 0, 0, 0),
        Pace(1, 7, 30, 100),
        Pace(30, 10, 100, 500),
        Pace(0, 10, 0, 25),
        Pace(0, 0, 3, 0),
    ],
)
def test_the_estimate_is_what_a_simulation_gives(pace: Pace) -> None:
    times = simulated(1_200, pace)
    for position in (0, 1, 6, 7, 9, 10, 29, 30, 99, 100, 101, 499, 500, 501, 999, 1_199):
        assert offset(position, pace) == pytest.approx(times[position]), position


def test_senders_share_the_work() -> None:
    assert duration(10, 1, Pace(10, 0, 0, 0)) == timedelta(seconds=90)
    assert duration(10, 2, Pace(10, 0, 0, 0)) == timedelta(seconds=40)
    assert duration(0, 2, Pace(10, 0, 0, 0)) == timedelta(0)


def test_those_ahead_go_first() -> None:
    done = finish(now=NOW, send_at=None, ahead=5, own=1, senders=1, pace=Pace(10, 0, 0, 0))
    assert done == NOW + timedelta(seconds=50)


def test_nothing_goes_out_before_its_time() -> None:
    later = NOW + timedelta(hours=1)
    pace = Pace(10, 0, 0, 0)
    assert finish(now=NOW, send_at=later, ahead=5, own=2, senders=1, pace=pace) == later + timedelta(seconds=10)
    assert finish(now=NOW, send_at=later, ahead=999, own=1, senders=1, pace=pace) == NOW + timedelta(seconds=9_990)


def test_a_hopeless_queue_has_an_end_too() -> None:
    assert finish(now=NOW, send_at=None, ahead=10**9, own=1, senders=1, pace=Pace(0, 0, 0, 1)) > NOW
