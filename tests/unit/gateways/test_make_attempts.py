"""What keeps an attempt from being called, although it was started."""

import pytest

from common.contracts.vocabulary import AttemptState, FailureClass
from gateway.application.make_attempts import CALL_WITHIN
from tests.support.gateways.attempting import MOST_CHARACTERS, Attempting, Slots, TickingClock


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
