"""Saying that this process still turns its loops."""

from collections.abc import Callable
from typing import Protocol

from common.kernel.clock import Clock


class Heartbeats(Protocol):
    """The last sign of life of every instance."""

    async def beat(self) -> None: ...


class ShowLife:
    """One heartbeat a call; `beaten` is told the Unix seconds of those that were written."""

    def __init__(self, heartbeats: Heartbeats, *, clock: Clock, beaten: Callable[[float], None]) -> None:
        self._heartbeats = heartbeats
        self._clock = clock
        self._beaten = beaten

    async def __call__(self) -> None:
        await self._heartbeats.beat()
        self._beaten(self._clock.now().timestamp())
