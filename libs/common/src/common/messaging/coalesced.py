"""Many small things to say become few envelopes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from common.kernel.failures import Transient
from common.kernel.trace_context import TraceContext
from common.telemetry import tracing
from common.telemetry.logs import logger

T = TypeVar("T")
log = logger()


class Coalesced(Generic[T]):
    """Collects items while the previous batch is being sent and sends them together.

    Nothing waits for company: the first item goes at once, what comes meanwhile goes next. `send` is tried again while
    it raises `Transient`, so an item handed over is only lost with the process; any other failure is handed to whoever
    waits for the batch's items, and the next batch goes on. With `once` a `Transient` is handed over too,
    to everybody who waits: nobody waits for one failure after the other. A batch whose items were all handed over in
    one trace belongs to that.
    """

    def __init__(self, send: Callable[[list[T]], Awaitable[None]], *, limit: int, once: bool = False) -> None:
        self._send = send
        self._limit = limit
        self._once = once
        self._waiting: list[tuple[T, asyncio.Future[None], TraceContext | None]] = []
        self._awake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, item: T) -> asyncio.Future[None]:
        """Hand an item over; the future is done once its batch was sent."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, sent, tracing.current()))
        self._idle.clear()
        self._awake.set()
        return sent

    async def run(self) -> None:
        """Send until cancelled."""
        delay = 0.1
        while True:
            await self._awake.wait()
            batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            if not self._waiting:
                self._awake.clear()
            failed: Exception | None = None
            while True:
                try:
                    with tracing.within(tracing.shared(context for _, _, context in batch)):
                        await self._send([item for item, _, _ in batch])
                except Transient as error:
                    if self._once:
                        batch, self._waiting = batch + self._waiting, []
                        self._awake.clear()
                        failed = error
                        break
                    log.warning("batch.not_sent", items=len(batch), waiting=len(self._waiting), error=str(error))
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, 2.0)
                    continue
                except Exception as error:  # noqa: BLE001 - whoever handed the items over is told
                    failed = error
                break
            delay = 0.1
            for _, sent, _ in batch:
                if not sent.done():
                    sent.set_result(None) if failed is None else sent.set_exception(failed)
            if not self._waiting:
                self._idle.set()

    async def flushed(self) -> None:
        """Wait until nothing is left to send."""
        await self._idle.wait()
