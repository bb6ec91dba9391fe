"""MongoDB's clock, told without asking it each time: the one clock slots and deadlines are measured on."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from pymongo.errors import PyMongoError

from common.kernel.clock import to_milliseconds
from common.kernel.failures import Transient
from common.telemetry.failures import summary
from common.telemetry.logs import logger

SAMPLES = 5
RENEW_SECONDS = 30.0
RETRY_SECONDS = 1.0
TOLD_TO = 0.001
"""Seconds; what the server tells is cut to the millisecond."""
log = logger()


class ServerClock:
    """A monotonic clock that was once set by the server's, so that setting this machine's clock moves nothing.

    It tells no time before the first answer: wait for `ready`. It is set by the answer with the shortest round trip,
    good to half of it. `told` asks the server; `monotonic` and `local` are this machine's clocks, in seconds.
    """

    def __init__(
        self,
        told: Callable[[], Awaitable[datetime]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        local: Callable[[], float] = time.time,
    ) -> None:
        self._told = told
        self._monotonic = monotonic
        self._local = local
        self._base: float | None = None
        self._set = asyncio.Event()

    async def ready(self) -> None:
        """Wait until the server has told its time."""
        await self._set.wait()

    def now(self) -> datetime:
        return to_milliseconds(datetime.fromtimestamp(self.seconds(), UTC))

    def seconds(self) -> float:
        """Seconds since the epoch, as precise as this machine tells. Raises `Transient` before the first sample."""
        if self._base is None:
            raise Transient("MongoDB has not told its time yet")
        return self._monotonic() + self._base

    async def run(self) -> None:
        """Keep it set until cancelled, whatever MongoDB answers meanwhile."""
        failed = False
        while True:
            try:
                await self.sample()
            except PyMongoError as error:
                if not failed:
                    log.warning("clock.not_told", error=summary(error))
                failed = True
            else:
                failed = False
            await asyncio.sleep(RETRY_SECONDS if failed else RENEW_SECONDS)

    async def sample(self) -> None:
        """Set the clock. A difference of less than the round trip is what measuring costs, and changes nothing.

        By the same rule a local clock that agrees with the server's is believed to the last digit: processes on one
        machine then agree exactly, as long as nobody touches it.
        """
        best = (float("inf"), 0.0)
        for _ in range(SAMPLES):
            asked = self._monotonic()
            told = (await self._told()).timestamp() + TOLD_TO / 2
            answered = self._monotonic()
            best = min(best, (answered - asked, told - (asked + answered) / 2))
        round_trip, base = best
        noise = round_trip + TOLD_TO
        if self._base is None or abs(base - self._base) > noise:
            local = self._local() - self._monotonic()
            self._base = local if abs(base - local) <= noise else base
        self._set.set()
