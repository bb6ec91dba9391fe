"""An answer that took unusually long moves the slot, by no more than the call can have been seen late."""

from datetime import timedelta

import pytest

from gateway.application.keep_slot import FEWEST_ANSWERS, MOST_EXCESS, USUAL_ANSWERS, KeepSlot
from tests.support.gateways.attempting import SENDER, Attempting, Slots

GAP = 10.0


class Answers:
    """Answers of one sender, each to a call made at its slot."""

    def __init__(self, slots: Slots | None = None) -> None:
        self.world = Attempting(slots=slots or Slots())
        self.keep_slot: KeepSlot = self.world.keep_slot()
        self.slot = self.world.clock.now()

    async def took(self, *seconds: float, sender: str = SENDER) -> "Answers":
        for one in seconds:
            self.world.clock.time += GAP
            self.slot = self.world.clock.now()
            await self.keep_slot.answered(sender, self.slot, GAP, seconds=one)
        return self

    async def usually(self, seconds: float) -> "Answers":
        """Have it take so long until that is what is usual, and forget what that moved."""
        await self.took(*[seconds] * USUAL_ANSWERS)
        self.world.slots.moved.clear()
        self.world.observer.moves = 0
        return self

    def moved_by(self) -> list[timedelta]:
        return [to - slot for slot, _, to in self.world.slots.moved]


async def test_what_is_usual_moves_nothing_however_slow_it_is() -> None:
    answers = await (await Answers().usually(2.0)).took(*[2.0] * 30)
    assert answers.moved_by() == []


async def test_an_answer_that_took_longer_than_usual_moves_the_slot_by_the_excess() -> None:
    answers = await (await Answers().usually(0.05)).took(0.062)
    [by] = answers.moved_by()
    assert timedelta(milliseconds=12) <= by <= timedelta(milliseconds=13)
    assert answers.world.slots.moved[0][:2] == (answers.slot, GAP)
    assert answers.world.observer.moves == 1


async def test_the_excess_is_capped_at_what_a_late_reading_can_be() -> None:
    answers = await (await Answers().usually(0.05)).took(9.0)
    assert answers.moved_by() == [timedelta(seconds=MOST_EXCESS)]


@pytest.mark.parametrize("seconds", [0.0505, 0.0509, 0.001])
async def test_a_difference_of_less_than_a_paced_call_may_be_late_moves_nothing(seconds: float) -> None:
    answers = await (await Answers().usually(0.05)).took(seconds)
    assert answers.moved_by() == []


async def test_until_what_is_usual_is_known_all_of_an_answers_time_may_be_a_late_reading() -> None:
    answers = await Answers().took(*[0.012] * FEWEST_ANSWERS, 0.012)
    assert answers.moved_by() == [timedelta(milliseconds=12)] * FEWEST_ANSWERS


async def test_what_is_usual_follows_the_latest_answers() -> None:
    answers = await Answers().usually(0.05)
    await answers.took(*[1.0] * USUAL_ANSWERS)
    moves = len(answers.moved_by())
    assert moves == (USUAL_ANSWERS + 1) // 2
    await answers.took(1.0)
    assert len(answers.moved_by()) == moves


async def test_each_sender_has_an_usual_of_its_own() -> None:
    answers = await Answers().usually(1.0)
    await answers.took(*[0.0005] * USUAL_ANSWERS, sender="fonnte-2")
    await answers.took(1.0)
    assert answers.moved_by() == []


async def test_a_slot_whose_successor_is_given_away_is_not_counted_as_moved() -> None:
    answers = await (await Answers(Slots(movable=False)).usually(0.05)).took(9.0)
    assert len(answers.moved_by()) == 1
    assert answers.world.observer.moves == 0
