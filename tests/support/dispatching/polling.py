"""Wait for a fact instead of for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(fact: Callable[[], Awaitable[T]], *, seconds: float = 20.0, every: float = 0.02) -> T:
    """Ask again and again until the answer is true; fails with the last answer when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        answer = await fact()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds:g} s; the last answer was {answer!r}"
        await asyncio.sleep(every)
