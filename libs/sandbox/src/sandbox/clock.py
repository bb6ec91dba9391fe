"""A clock that can run faster, so that a day's waiting fits into a test."""

import asyncio
import time
from contextlib import suppress

# The event loop cannot count further than some years; callers look again anyway.
LONGEST_WAIT = 86_400.0


class Clock:
    """Unix seconds that start as the real ones and then run ``speed`` times as fast.

    Used for what the provider does by itself (gaps, schedules, expiry, webhook retries); the times in the ledger are
    real ones.
    """

    def __init__(self) -> None:
        self.speed = 1.0
        self._real = time.monotonic()
        self._shown = time.time()
        self._sleepers: set[asyncio.Event] = set()

    def now(self) -> float:
        return self._shown + (time.monotonic() - self._real) * self.speed

    def run_at(self, speed: float) -> None:
        """Run at that speed from now on."""
        self._set(self.now(), speed)

    def advance(self, seconds: float) -> None:
        """Jump ahead."""
        self._set(self.now() + seconds, self.speed)

    def reset(self) -> None:
        """The real time again."""
        self._set(time.time(), 1.0)

    async def wait(self, woken: asyncio.Event, *, until: float) -> None:
        """Return at that moment, or when ``woken`` is set; may return early when the clock was changed."""
        self._sleepers.add(woken)
        try:
            left = min((until - self.now()) / self.speed, LONGEST_WAIT)
            if left > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await woken.wait()
            woken.clear()
        finally:
            self._sleepers.discard(woken)

    async def sleep(self, seconds: float) -> None:
        """Sleep that many seconds of this clock."""
        until = self.now() + seconds
        woken = asyncio.Event()
        while self.now() < until:
            await self.wait(woken, until=until)

    def _set(self, shown: float, speed: float) -> None:
        self._shown = shown
        self._real = time.monotonic()
        self.speed = speed
        for sleeper in self._sleepers:
            sleeper.set()
