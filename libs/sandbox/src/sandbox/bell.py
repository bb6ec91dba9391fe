"""Waiting for something to happen in here, so that no client has to ask again and again."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# A condition may walk the whole ledger: under load it is looked at this often and not for every message.
SHORTEST_PAUSE = 0.01


class Bell:
    """Rung after every change; costs next to nothing while nobody waits."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def ring(self) -> None:
        for event in self._waiting:
            event.set()

    async def wait_until(self, condition: "Callable[[], bool]", *, seconds: float) -> None:
        """Return once the condition holds, or after that many real seconds."""
        rung = asyncio.Event()
        self._waiting.add(rung)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not condition():
                        await rung.wait()
                        rung.clear()
                        if not condition():
                            await asyncio.sleep(SHORTEST_PAUSE)
        finally:
            self._waiting.discard(rung)
