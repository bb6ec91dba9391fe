"""Many small things become few envelopes: in order, none lost, nothing waiting for company."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from common.kernel.failures import Transient
from common.messaging.coalesced import Coalesced


class Sent:
    """Remembers batches; `away` of them fail first, `gate` holds the first one up."""

    def __init__(self, *, away: int = 0) -> None:
        self.batches: list[list[int]] = []
        self.away = away
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, items: list[int]) -> None:
        await self.gate.wait()
        if self.away:
            self.away -= 1
            raise Transient("away")
        self.batches.append(items)


@asynccontextmanager
async def running(
    send: Callable[[list[int]], Awaitable[None]], *, limit: int = 100, once: bool = False
) -> AsyncIterator[Coalesced[int]]:
    coalesced = Coalesced(send, limit=limit, once=once)
    task = asyncio.create_task(coalesced.run())
    try:
        yield coalesced
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_single_item_goes_at_once() -> None:
    sent = Sent()
    async with running(sent) as coalesced:
        await coalesced.put(1)
        assert sent.batches == [[1]]


async def test_what_comes_while_a_batch_is_sent_goes_together_and_in_order() -> None:
    sent = Sent()
    sent.gate.clear()
    async with running(sent, limit=40) as coalesced:
        first = coalesced.put(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        rest = [coalesced.put(number) for number in range(1, 101)]
        sent.gate.set()
        await asyncio.gather(first, *rest)
    assert [item for batch in sent.batches for item in batch] == list(range(101))
    assert [len(batch) for batch in sent.batches] == [1, 40, 40, 20]


async def test_a_batch_is_tried_until_it_is_sent_and_nothing_overtakes_it() -> None:
    sent = Sent(away=2)
    async with running(sent) as coalesced:
        first = coalesced.put(1)
        await asyncio.sleep(0)
        second = coalesced.put(2)
        await asyncio.gather(first, second)
    assert [item for batch in sent.batches for item in batch] == [1, 2]


async def test_flushed_means_that_everything_is_out() -> None:
    sent = Sent(away=1)
    async with running(sent) as coalesced:
        await coalesced.flushed()
        futures = [coalesced.put(number) for number in range(5)]
        await coalesced.flushed()
        assert all(future.done() for future in futures)
        assert sum(map(len, sent.batches)) == 5


async def test_whoever_stops_waiting_for_its_item_harms_nobody() -> None:
    sent = Sent()
    sent.gate.clear()
    async with running(sent) as coalesced:
        given_up, other = coalesced.put(1), coalesced.put(2)
        given_up.cancel()
        sent.gate.set()
        await asyncio.wait_for(other, 5)
        await coalesced.flushed()
    assert [item for batch in sent.batches for item in batch] == [1, 2]


async def test_a_batch_that_can_never_be_sent_does_not_take_the_others_with_it() -> None:
    sent: list[list[int]] = []

    async def send(items: list[int]) -> None:
        if 1 in items:
            raise ValueError("a defect")
        sent.append(items)

    async with running(send, limit=1) as coalesced:
        bad, good = coalesced.put(1), coalesced.put(2)
        with pytest.raises(ValueError, match="a defect"):
            await asyncio.wait_for(bad, 5)
        await asyncio.wait_for(good, 5)
        await asyncio.wait_for(coalesced.flushed(), 5)
    assert sent == [[2]]


async def test_tried_once_a_failure_is_everybodys_who_waits_and_the_next_item_goes_again() -> None:
    sent = Sent(away=1)
    sent.gate.clear()
    async with running(sent, limit=1, once=True) as coalesced:
        waiting = [coalesced.put(number) for number in range(3)]
        await asyncio.sleep(0)
        sent.gate.set()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in outcomes] == [Transient] * 3
        await coalesced.put(3)
    assert sent.batches == [[3]]
