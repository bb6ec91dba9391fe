"""Answers that may be a moment old: asked for once by many, never older than said, failures not kept."""

import asyncio

import pytest

from common.mongo.remembered import Remembered


class Source:
    """Answers with how often it was asked, once it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.fails = False

    async def ask(self, key: str) -> str:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if self.fails:
            raise LookupError(key)
        return f"{key} {number}"


async def test_those_who_ask_at_once_share_one_answer() -> None:
    source = Source()
    remembered = Remembered(source.ask, seconds=60)
    assert await asyncio.gather(*(remembered("a") for _ in range(5))) == ["a 1"] * 5
    assert await remembered("a") == "a 1"
    assert await remembered("b") == "b 2"


async def test_an_answer_that_is_too_old_is_asked_for_again() -> None:
    source = Source()
    remembered = Remembered(source.ask, seconds=0)
    assert [await remembered("a"), await remembered("a")] == ["a 1", "a 2"]


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered() -> None:
    source = Source()
    source.fails = True
    remembered = Remembered(source.ask, seconds=60)
    failed = await asyncio.gather(*(remembered("a") for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in failed] == [LookupError] * 3
    source.fails = False
    assert await remembered("a") == "a 2"


async def test_what_is_forgotten_while_it_is_asked_for_is_asked_for_again() -> None:
    source = Source()
    source.may_answer.clear()
    remembered = Remembered(source.ask, seconds=60)
    first = asyncio.ensure_future(remembered("a"))
    await asyncio.sleep(0)
    remembered.forget("a")
    second = asyncio.ensure_future(remembered("a"))
    source.may_answer.set()
    assert [await first, await second, await remembered("a")] == ["a 1", "a 2", "a 2"]


async def test_somebody_who_gives_up_takes_the_answer_from_nobody() -> None:
    source = Source()
    source.may_answer.clear()
    remembered = Remembered(source.ask, seconds=60)
    hasty, patient = asyncio.ensure_future(remembered("a")), asyncio.ensure_future(remembered("a"))
    await asyncio.sleep(0)
    hasty.cancel()
    source.may_answer.set()
    assert await patient == "a 1"
    with pytest.raises(asyncio.CancelledError):
        await hasty


async def test_no_more_answers_are_kept_than_said() -> None:
    source = Source()
    remembered = Remembered(source.ask, seconds=60, most=2)
    for key in ("a", "b", "c"):
        await remembered(key)
    assert await remembered("c") == "c 3"
    assert await remembered("a") == "a 4"
