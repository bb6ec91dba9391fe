"""Many concurrent single writes become few bulk writes, each caller still told about its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from api_gateway.domain.refusals import unavailable
from common.kernel.failures import Transient
from common.mongo.connection import UNAVAILABLE, Mongo, within

_AWAY: tuple[type[Exception], ...] = (Transient, *UNAVAILABLE)
T = TypeVar("T")
R = TypeVar("R")
ATTEMPT_SECONDS = 2.5
"""How long one write may take before it is made again."""
TRIES = 3
DOUBTFUL_SECONDS = 1.0
"""How long the only try may take while MongoDB is known to be away."""


class Grouped(Generic[T, R]):
    """Writes what came while the previous group was being written.

    `write` gets a group and gives one result an item; it is called again with the same group after a failure that
    leaves open whether it happened, so it must be harmless to repeat.
    """

    def __init__(
        self, write: Callable[[Sequence[T]], Awaitable[Sequence[R]]], mongo: Mongo, *, limit: int = 200
    ) -> None:
        self._write = write
        self._mongo = mongo
        self._limit = limit
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._awake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, item: T) -> asyncio.Future[R]:
        """The item's result; the future raises `Unavailable` when MongoDB stays away."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        self._idle.clear()
        self._awake.set()
        return result

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._awake.wait()
            group, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            if not self._waiting:
                self._awake.clear()
            await self._settle(group)
            if not self._waiting:
                self._idle.set()

    async def flushed(self) -> None:
        """Wait until nothing is left to write."""
        await self._idle.wait()

    async def _settle(self, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await persistently(lambda: self._write([item for item, _ in group]), self._mongo)
        except Exception as error:  # noqa: BLE001 - it is handed to everyone who waits
            for _, result in group:
                if not result.done():
                    result.set_exception(error)
                    result.exception()  # nobody may be waiting any more; that is no news then
            return
        for (_, result), value in zip(group, results, strict=True):
            if not result.done():
                result.set_result(value)


async def persistently(write: Callable[[], Awaitable[R]], mongo: Mongo) -> R:
    """Make a write that is harmless to repeat until it is known to have happened, for some seconds; only once, and
    briefly, while MongoDB is known to be away.

    Raises `Unavailable` when that stays unknown.
    """
    tries, seconds = (TRIES, ATTEMPT_SECONDS) if mongo.ready else (1, DOUBTFUL_SECONDS)
    for remaining in reversed(range(tries)):
        try:
            with within(seconds):
                return await write()
        except _AWAY as error:
            if not remaining:
                raise unavailable(
                    "the database does not answer; repeat the request with the same Idempotency-Key in a moment"
                ) from error
            await asyncio.sleep(0.2)
    raise AssertionError("unreachable")
