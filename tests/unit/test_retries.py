"""How long a delivery waits after a round in which every provider failed it."""

from datetime import timedelta

import pytest

from dispatcher.domain.retries import RetryPlan


@pytest.mark.parametrize(
    ("plan", "seconds"),
    [
        (RetryPlan(chance=lambda: 0.0), [2, 4, 8, 300, None, None]),
        (RetryPlan(chance=lambda: 1.0), [2.2, 4.4, 8.8, 300, None, None]),
        (RetryPlan(most=0, chance=lambda: 0.0), [300, None, None]),
        (RetryPlan(last=0.0, chance=lambda: 0.0), [2, 4, 8, None, None]),
        (RetryPlan(most=0, last=0.0), [None, None]),
        (RetryPlan(most=2, multiplier=3.0, last=60.0, chance=lambda: 0.0), [2, 6, 60, None]),
    ],
)
def test_each_wait_is_longer_then_a_last_one_then_none(plan: RetryPlan, seconds: list[float | None]) -> None:
    waits = [plan.wait(retries) for retries in range(len(seconds))]
    assert waits == [None if each is None else timedelta(seconds=each) for each in seconds]


def test_backoffs_are_spread_by_a_tenth_at_most() -> None:
    waits = {RetryPlan().wait(0) for _ in range(200)}
    assert len(waits) > 100
    assert all(wait is not None and timedelta(seconds=2) <= wait <= timedelta(seconds=2.2) for wait in waits)
