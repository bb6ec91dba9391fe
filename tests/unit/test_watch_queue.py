"""One reader for everybody who watches the queue."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from api_gateway.application.look_at_queue import Glance
from api_gateway.application.watch_queue import MINUTE, MINUTES, WatchQueue

NOW = datetime(2025, 11, 15, 3, 0, 30, tzinfo=UTC)
THIS_MINUTE = NOW.replace(second=0)


@dataclass
class Told:
    """Queue, senders, sends and clock at once; counts how often it is asked."""

    now_is: datetime = NOW
    looks: int = 0
    since: list[datetime] = field(default_factory=list)

    async def __call__(self) -> Glance:
        self.looks += 1
        await asyncio.sleep(0)
        return Glance(0, 0, 0, [], [], None, {}, self.now_is)

    async def all(self) -> list[Any]:
        return []

    async def by_minute(self, since: datetime) -> Mapping[datetime, int]:
        self.since.append(since)
        return {minute: 7 for minute in (THIS_MINUTE - 2 * MINUTE, THIS_MINUTE) if minute >= since}

    def now(self) -> datetime:
        return self.now_is


def watching(told: Told) -> WatchQueue:
    return WatchQueue(cast("Any", told), cast("Any", told), told, told, asyncio.Event())


async def test_many_who_look_at_once_see_one_picture() -> None:
    told = Told()
    queue = watching(told)
    pictures = await asyncio.gather(*(queue.picture() for _ in range(5)))
    assert told.looks == 1
    assert all(picture is pictures[0] for picture in pictures)


async def test_nothing_is_read_while_nobody_watches() -> None:
    told = Told()
    await watching(told).refresh()
    assert told.looks == 0


async def test_who_has_just_acted_sees_what_is_now() -> None:
    told = Told()
    queue = watching(told)
    before = await queue.picture()
    assert await queue.picture(anew=True) is not before


async def test_a_minute_that_is_over_is_counted_once() -> None:
    told = Told()
    queue = watching(told)
    first = await queue.picture()
    assert [count for _, count in first.sends[-3:]] == [7, 0, 7]
    assert len(first.sends) == MINUTES
    second = await queue.picture(anew=True)
    assert told.since == [THIS_MINUTE - (MINUTES - 1) * MINUTE, THIS_MINUTE - MINUTE]
    assert second.sends == first.sends
    told.now_is = NOW + timedelta(minutes=5)
    third = await queue.picture(anew=True)
    assert told.since[-1] == THIS_MINUTE - MINUTE, "what went out while nobody looked is not lost"
    assert third.sends[0][0] == THIS_MINUTE + 5 * MINUTE - (MINUTES - 1) * MINUTE


async def test_who_watches_is_told_of_the_next_picture_and_let_go_at_the_end() -> None:
    queue = watching(Told())
    picture = await queue.picture()
    waiting = asyncio.create_task(queue.newer(picture, seconds=60))
    await asyncio.sleep(0)
    newer = await queue.picture(anew=True)
    assert await waiting is newer
    last = asyncio.create_task(queue.newer(newer, seconds=60))
    await asyncio.sleep(0)
    queue.stopping.set()
    await queue.refresh()
    assert await last is None
