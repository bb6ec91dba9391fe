"""When every provider failed, a delivery is tried once more after five minutes, and then given up."""

from datetime import timedelta

import pytest

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import AttemptState, FailureClass
from common.testing.clock import HandClock
from dispatcher.domain.decisions import decide, wake
from dispatcher.domain.retries import RetryPlan
from dispatcher.domain.rounds import Situation
from tests.support.dispatching.model import FONNTE, PLAN, START, WABLAS, applied, claimed, queued, told

SECONDS = timedelta(seconds=1)


class Failing:
    """A delivery whose every call fails, and the clock it lives by. `causes` are those of its timeline."""

    def __init__(self, *, plan: RetryPlan = PLAN, **chosen: object) -> None:
        self.clock = HandClock(START)
        self.delivery: DeliveryDocument = queued(**chosen)
        self.plan = plan
        self.calls: list[float] = []
        self.causes: list[str] = []

    @property
    def seconds(self) -> float:
        return (self.clock.now() - START) / SECONDS

    @property
    def _situation(self) -> Situation:
        return Situation(self.clock.now(), (FONNTE, WABLAS), self.plan)

    def round(self) -> None:
        """Both providers are asked at this moment, and refuse."""
        for provider in (FONNTE, WABLAS):
            self.delivery = claimed(self.delivery, provider, at=self.seconds)
            outcome = told(self.delivery, AttemptState.FAILED, FailureClass.TRANSPORT, at=self.seconds)
            self.calls.append(self.seconds)
            self._change(decide(self.delivery, outcome, self._situation))

    def until_it_is_due(self) -> None:
        """Time passes until its `wake_at`, and a sweeper looks."""
        self.clock.advance((self.delivery["wake_at"] - self.clock.now()) / SECONDS)
        self._change(wake(self.delivery, self._situation))

    def to_the_end(self) -> None:
        while "wake_at" in self.delivery:
            if "lane" in self.delivery:
                self.round()
            else:
                self.until_it_is_due()

    def _change(self, change: object) -> None:
        self.delivery = applied(self.delivery, change)  # type: ignore[arg-type]
        self.causes.append(change.cause)  # type: ignore[attr-defined]


def test_after_the_backoffs_there_is_one_more_round_five_minutes_later_and_then_the_end() -> None:
    failing = Failing()
    failing.to_the_end()
    assert failing.calls == [0, 0, 2, 2, 6, 6, 14, 14, 314, 314]
    assert (failing.delivery["status"], failing.delivery["code"]) == ("failed", "RETRY_FAILED")
    assert (failing.delivery["retries"], len(failing.delivery["attempts"])) == (4, 10)


def test_its_timeline_tells_when_the_last_try_is() -> None:
    failing = Failing()
    failing.to_the_end()
    (last,) = [cause for cause in failing.causes if "for the last time" in cause]
    assert last.endswith(
        "wablas said no; every provider failed; again in 300.0 s for the last time, at 2025-11-15T03:05:14Z"
    )


@pytest.mark.parametrize("seconds", [0.5, 60.0, 3600.0])
def test_the_wait_before_it_is_what_the_settings_say_and_never_spread(seconds: float) -> None:
    failing = Failing(plan=RetryPlan(most=0, last=seconds, chance=lambda: 1.0))
    failing.to_the_end()
    assert failing.calls == [0, 0, seconds, seconds]


def test_without_it_the_end_comes_after_the_backoffs() -> None:
    failing = Failing(plan=RetryPlan(most=1, last=0.0, chance=lambda: 0.0))
    failing.to_the_end()
    assert (failing.calls, failing.delivery["status"]) == ([0, 0, 2, 2], "failed")


@pytest.mark.parametrize("validity", [300.0, 313.9, 314.0])
def test_nothing_is_tried_when_its_validity_is_over_by_then(validity: float) -> None:
    otp = Failing(type="otp", validity=validity)
    otp.to_the_end()
    assert otp.calls[-1] == 14
    assert otp.delivery["status"] == "expired"
    assert otp.seconds == validity
    assert "its validity ends before the next try" in otp.causes[-2]


def test_a_retry_that_never_comes_is_not_counted() -> None:
    otp = Failing(type="otp", validity=300.0)
    otp.to_the_end()
    assert otp.delivery["retries"] == 3


def test_somebody_who_looks_too_early_or_twice_changes_nothing_of_it() -> None:
    failing = Failing(plan=RetryPlan(most=0))
    failing.round()
    waiting = failing.delivery
    outcome = told(claimed(waiting, WABLAS), AttemptState.FAILED)
    assert decide(waiting, outcome.model_copy(update={"number": 2}), failing._situation) is None
    assert (waiting["retries"], waiting["wake_at"]) == (1, START + timedelta(minutes=5))
