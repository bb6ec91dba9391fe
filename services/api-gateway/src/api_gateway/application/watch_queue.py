"""One picture of queue and senders for everybody who watches, taken by one reader in each process."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from api_gateway.application.look_at_queue import Glance, LookAtQueue
from api_gateway.application.ports import Senders
from common.contracts.documents import SenderDocument
from common.kernel.clock import Clock

MINUTES = 60
"""How far back the sends are told."""
FRESH_SECONDS = 2.0
WATCHED_SECONDS = 30.0
"""After the last one who looked the reader goes on for so long."""
LARGEST_SHARE = 0.1
"""Of the time, that reading may take however long the queue is."""
MINUTE = timedelta(minutes=1)


class Sends(Protocol):
    async def by_minute(self, since: datetime) -> Mapping[datetime, int]:
        """Messages a provider took, by the minute it took them in; minutes without any are left out."""


@dataclass(frozen=True, eq=False)
class Picture:
    """`sends`: messages by the minute they went out in, the oldest first; the last minute is under way."""

    glance: Glance
    senders: list[SenderDocument]
    sends: list[tuple[datetime, int]]
    at: datetime


@dataclass
class WatchQueue:
    look: LookAtQueue
    senders: Senders
    sends: Sends
    clock: Clock
    stopping: asyncio.Event
    taken: Picture | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _settled: dict[datetime, int] = field(default_factory=dict)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _read_at: float = -FRESH_SECONDS
    _looked_at: float = -WATCHED_SECONDS
    _not_before: float = 0.0

    async def picture(self, *, anew: bool = False) -> Picture:
        """A fresh one; `anew`: one taken from now on."""
        wanted = self._looked_at = time.monotonic()
        async with self._reading:
            age = wanted - self._read_at
            if self.taken is None or age > FRESH_SECONDS or (anew and age > 0):
                await self._read()
            assert self.taken is not None  # noqa: S101 - it was just taken
            return self.taken

    async def newer(self, picture: Picture, *, seconds: float) -> Picture | None:
        """Watch on: the next picture after this one; `None` when there is none in so many seconds, or no more."""
        self._looked_at = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: self.taken is not picture or self.stopping.is_set())
        return None if self.taken is picture else self.taken

    async def refresh(self) -> None:
        """One step of the reader: nothing while nobody watches, and never for more than a small share of the time."""
        now = time.monotonic()
        if self.stopping.is_set():
            async with self._news:
                self._news.notify_all()
        elif now - self._looked_at <= WATCHED_SECONDS and now >= self._not_before:
            async with self._reading:
                await self._read()

    async def _read(self) -> None:
        begun = time.monotonic()
        glance, senders, sends = await asyncio.gather(self.look(), self.senders.all(), self._count())
        self.taken = Picture(glance, senders, sends, self.clock.now())
        self._read_at = begun
        took = time.monotonic() - begun
        self._not_before = time.monotonic() + took / LARGEST_SHARE
        async with self._news:
            self._news.notify_all()

    async def _count(self) -> list[tuple[datetime, int]]:
        """What is over stays what it was: only the last two minutes, and what nobody looked at, are counted again."""
        current = self.clock.now().replace(second=0, microsecond=0)
        minutes = [current - number * MINUTE for number in reversed(range(MINUTES))]
        settled = {minute: count for minute, count in self._settled.items() if minute >= minutes[0]}
        counted = await self.sends.by_minute(max(settled, default=minutes[0] - MINUTE) + MINUTE)
        sends = [(minute, settled.get(minute, counted.get(minute, 0))) for minute in minutes]
        self._settled = {minute: count for minute, count in sends if minute < current - MINUTE}
        return sends
