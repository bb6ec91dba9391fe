"""MongoDB's clock, told without asking it each time: the one clock slots and deadlines are measured on."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime

from common.kernel.clock import to_milliseconds
from common.mongo.connection import UNAVAILABLE, Mongo

SAMPLES = 5
RENEW_SECONDS = 30.0


class ServerClock:
    """The machine's clock, corrected by its offset to the server's.

    The offset is that of the sample with the shortest round trip, good to half of it (and to the millisecond the
    server tells). Until the first sample the local clock is taken as it is.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._offset = 0.0

    def now(self) -> datetime:
        return to_milliseconds(datetime.fromtimestamp(self.seconds(), UTC))

    def seconds(self) -> float:
        """Seconds since the epoch, as precise as this machine tells them."""
        return time.time() + self._offset

    async def run(self) -> None:
        """Keep the offset fresh until cancelled."""
        while True:
            with contextlib.suppress(*UNAVAILABLE):
                await self.sample()
            await asyncio.sleep(RENEW_SECONDS)

    async def sample(self) -> None:
        """Measure the offset; one of less than a round trip is what the measuring itself costs, and is left out."""
        best = (float("inf"), 0.0)
        for _ in range(SAMPLES):
            asked = time.time()
            answer = await self._mongo.client.admin.command("hello")
            answered = time.time()
            told = answer["localTime"].replace(tzinfo=UTC).timestamp() + 0.0005  # cut to milliseconds by the server
            best = min(best, (answered - asked, told - (asked + answered) / 2))
        round_trip, offset = best
        self._offset = offset if abs(offset) > round_trip + 0.001 else 0.0
