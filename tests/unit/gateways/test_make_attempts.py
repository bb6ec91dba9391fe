"""What keeps an attempt from being called, although it was started."""

import asyncio
from datetime import timedelta

import pytest

from common.contracts.events import AttemptRequest, AttemptsRequested
from common.contracts.vocabulary import AttemptState, FailureClass
from common.kernel.trace_context import TraceContext
from gateway.adapters.http_provider import SPARE_SECONDS
from gateway.application.make_attempts import CALL_WITHIN
from gateway.application.ports import Permit, StartedElsewhere
from gateway.application.report_orphans import ReportOrphans
from gateway.domain.account import Account
from gateway.domain.answer import Answer
from gateway.wiring import ANSWER_SPARE_SECONDS
from tests.support.gateways.attempting import (
    CONNECT_WITHIN,
    MOST_CHARACTERS,
    Attempting,
    Deliveries,
    Observer,
    Outcomes,
    Provider,
    Slots,
    TickingClock,
    asked_for,
)


async def test_a_text_longer_than_the_provider_takes_is_not_sent() -> None:
    attempting = Attempting()
    outcome = await attempting.attempt("x" * (MOST_CHARACTERS + 1))
    assert (outcome.state, outcome.failure) == (AttemptState.FAILED, FailureClass.BUG)
    assert outcome.error == f"longer than {MOST_CHARACTERS} characters"
    assert attempting.provider.called == []


async def test_a_text_as_long_as_the_provider_takes_is_sent() -> None:
    attempting = Attempting()
    assert (await attempting.attempt("x" * MOST_CHARACTERS)).state is AttemptState.SUCCEEDED
    assert len(attempting.provider.called) == 1


@pytest.mark.parametrize(("took", "called"), [(CALL_WITHIN - 1, True), (CALL_WITHIN + 1, False)])
async def test_an_attempt_whose_slot_was_moved_too_slowly_is_missed(took: float, *, called: bool) -> None:
    clock, slots = TickingClock(tick=0.0001), Slots()
    attempting = Attempting(clock, slots)

    def answer_slowly() -> None:
        if len(slots.moved) == 1:
            clock.time += took

    slots.before_answering = answer_slowly
    slot = clock.now()
    clock.time += 0.5
    outcome = await attempting.attempt(slot=slot, gap=10.0)
    assert outcome.state is (AttemptState.SUCCEEDED if called else AttemptState.MISSED)
    assert bool(attempting.provider.called) is called
    assert slots.moved[0][:2] == (slot, 10.0)


async def test_only_a_call_that_was_made_took_any_time() -> None:
    made, refused, missed = Connecting(0.3), Attempting(), Connecting(CONNECT_WITHIN + CALL_WITHIN + 1)
    await made.attempt()
    await refused.attempt("x" * (MOST_CHARACTERS + 1))
    await missed.attempt(slot=missed.clock.now())
    [(state, seconds, _)] = made.observer.took
    assert state is AttemptState.SUCCEEDED
    assert seconds is not None
    assert refused.observer.took == [(AttemptState.FAILED, None, None)]
    assert missed.observer.took == [(AttemptState.MISSED, None, None)]


async def test_what_was_started_by_one_that_died_is_told_in_the_trace_it_was_asked_for_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.application.report_orphans.STARTER_GRACE", 0.0)
    context = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
    clock, outcomes, observer = TickingClock(), Outcomes(), Observer()
    asked = asked_for(
        [AttemptRequest(delivery_id="dlv_1", number=1, recipient="6281200000001", text="a"),
         AttemptRequest(delivery_id="dlv_2", number=1, recipient="6281200000002", text="b",
                        traceparent=context.traceparent)],
        clock,
    )  # fmt: skip
    died = Died([StartedElsewhere("dlv_2", 1, "another/one", clock.now())])
    report = ReportOrphans(deliveries=died, outcomes=outcomes, clock=clock, observer=observer)
    await report(asked, token="this/one", ours=lambda _: False)
    assert [(one.delivery_id, one.traceparent) for one in outcomes.kept] == [("dlv_2", context.traceparent)]
    assert observer.took == [(AttemptState.UNKNOWN, None, context)]


class Died(Deliveries):
    def __init__(self, started: list[StartedElsewhere]) -> None:
        self._started = started

    async def started_elsewhere(self, asked: AttemptsRequested, token: str) -> list[StartedElsewhere]:
        assert asked, token
        return self._started


class Connecting(Attempting):
    """A gateway whose provider takes so many seconds to be connected to, as the clock tells."""

    def __init__(self, seconds: float) -> None:
        super().__init__(TickingClock(tick=0.0001))
        self.seconds = seconds
        self.provider.before_asking = self._connect

    def _connect(self) -> None:
        self.clock.time += self.seconds


@pytest.mark.parametrize("gap", [0.0, 10.0])
@pytest.mark.parametrize("seconds", [0.3, CALL_WITHIN + 1, CONNECT_WITHIN])
async def test_connecting_is_no_part_of_the_time_in_which_a_call_must_begin(seconds: float, gap: float) -> None:
    attempting = Connecting(seconds)
    slot = attempting.clock.now()
    outcome = await attempting.attempt(slot=slot, gap=gap)
    assert outcome.state is AttemptState.SUCCEEDED
    moved = [(one, to) for one, _, to in attempting.slots.moved[:1]] if gap else attempting.slots.dated
    [(moved_from, to)] = moved
    assert moved_from == slot
    assert seconds <= (to - slot).total_seconds() <= seconds + 0.01


async def test_a_call_that_nothing_limits_waits_for_its_connection_too() -> None:
    assert (await Connecting(CALL_WITHIN + 1).attempt()).state is AttemptState.SUCCEEDED


async def test_no_more_than_connecting_may_take_is_forgiven() -> None:
    """What looks longer is a clock that was set, or a machine that stood still: the answer would come too late."""
    attempting = Connecting(CONNECT_WITHIN + CALL_WITHIN + 1)
    assert (await attempting.attempt(slot=attempting.clock.now())).state is AttemptState.MISSED
    assert attempting.provider.called == []


async def test_a_connection_is_not_begun_once_starting_took_too_long() -> None:
    asked = False

    class Never(Provider):
        async def send(self, account: Account, request: AttemptRequest, permit: Permit) -> Answer:
            nonlocal asked
            asked = True
            return await super().send(account, request, permit)

    attempting = Attempting(TickingClock(tick=CALL_WITHIN + 1), provider=Never())
    assert (await attempting.attempt()).state is AttemptState.MISSED
    assert not asked


async def test_an_unpaced_call_that_cannot_be_dated_later_is_missed() -> None:
    attempting = Connecting(0.3)
    attempting.slots.movable = False
    assert (await attempting.attempt(slot=attempting.clock.now())).state is AttemptState.MISSED
    assert attempting.provider.called == []


async def test_dating_later_ends_when_starting_took_too_long() -> None:
    attempting = Connecting(0.3)

    def answer_slowly() -> None:
        attempting.clock.time += 0.3

    attempting.slots.before_answering = answer_slowly
    assert (await attempting.attempt(slot=attempting.clock.now())).state is AttemptState.MISSED
    assert CALL_WITHIN / 0.3 - 1 <= len(attempting.slots.dated) <= CALL_WITHIN / 0.3 + 1


async def test_a_slot_far_ahead_is_a_clock_that_stood_still_and_nobody_waits_for_it() -> None:
    attempting = Attempting(TickingClock(tick=0.0001))
    slot = attempting.clock.now() + timedelta(seconds=30)
    async with asyncio.timeout(1):
        assert (await attempting.attempt(slot=slot, gap=10.0)).state is AttemptState.MISSED
    assert attempting.provider.called == []


def test_the_longest_attempt_ends_before_the_dispatcher_stops_waiting_for_it() -> None:
    """Beyond both timeouts: what starting may take and what the exchange may, and a second to tell."""
    assert CALL_WITHIN + SPARE_SECONDS + 1 <= ANSWER_SPARE_SECONDS
    assert CALL_WITHIN <= SPARE_SECONDS, "a call that began late has its whole read timeout"
