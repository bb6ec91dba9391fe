"""Answers that many ask for and that may be a moment old."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Asks again what was asked longer than `seconds` ago; those who ask meanwhile share one answer.

    An answer is never older than that, counted from when it was asked for. A failure is everybody's who waits for it
    and is not remembered. At most `most` answers are kept.
    """

    def __init__(self, ask: Callable[[str], Awaitable[T]], *, seconds: float, most: int = 1_000) -> None:
        self._ask = ask
        self._seconds = seconds
        self._most = most
        self._asked: dict[str, tuple[float, asyncio.Future[T]]] = {}

    async def __call__(self, key: str) -> T:
        now = asyncio.get_running_loop().time()
        asked_at, answer = self._asked.get(key, (0.0, None))
        if answer is None or now - asked_at >= self._seconds or _failed(answer):
            answer = asyncio.ensure_future(self._ask(key))
            answer.add_done_callback(_failed)  # whoever gave up waiting leaves nobody to hear of a failure
            self._asked.pop(key, None)
            self._asked[key] = (now, answer)
            while len(self._asked) > self._most:
                del self._asked[next(iter(self._asked))]
        # A caller that gives up must not take the answer from the others.
        return await asyncio.shield(answer)

    def forget(self, key: str) -> None:
        """Ask anew the next time."""
        self._asked.pop(key, None)


def _failed(answer: asyncio.Future[T]) -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)
