"""Loops that outlive what they lean on."""

import asyncio
from collections.abc import Awaitable, Callable

from common.telemetry.logs import logger

log = logger()


def after(ready: Callable[[], Awaitable[None]], loop: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The same loop, begun once `ready` returned."""

    async def begin() -> None:
        await ready()
        await loop()

    return begin


async def repeatedly(step: Callable[[], Awaitable[bool | None]], *, name: str, every: float) -> None:
    """Call `step` again and again until cancelled: at once while it answers `True` (more to do), else after `every`
    seconds. A failing step is said once and tried again with a growing pause of 5 s at most: whatever a step left
    half done is found by the next one.
    """
    failures = 0
    while True:
        try:
            more = await step()
        except Exception as error:
            failures += 1
            if failures in {1, 10} or failures % 100 == 0:
                log.warning("loop.failed", loop=name, failures=failures, exc_info=error)
            await asyncio.sleep(min(every + 0.1 * 2**failures, 5.0) if failures < 10 else 5.0)
            continue
        if failures:
            log.info("loop.recovered", loop=name, failures=failures)
        failures = 0
        await asyncio.sleep(0 if more else every)
