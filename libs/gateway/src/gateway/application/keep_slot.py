"""Calls are made at the moment that was granted, neither before nor noticeably after."""

import asyncio
from datetime import UTC, datetime, timedelta

from common.kernel.clock import to_milliseconds
from common.mongo.gate import LATENESS
from gateway.application.ports import Observer, PreciseClock, Slots
from gateway.domain.answer import Missed

PACED_LATENESS = 0.002
"""Seconds a paced call may be late before the gate must know: the next slot counts from the true moment."""
MOVE_AHEAD = timedelta(milliseconds=6)
"""How far ahead a late call is dated: what the write of the new moment takes, and a little."""
COARSE = 0.002
"""Timers are good to about a millisecond; the last stretch is spent watching the clock."""


class KeepSlot:
    """Waits for a slot and settles with the gate what comes late."""

    def __init__(self, *, clock: PreciseClock, slots: Slots, observer: Observer) -> None:
        self._clock = clock
        self._slots = slots
        self._observer = observer

    async def reach(self, sender: str, slot: datetime, gap: float) -> None:
        """Return at the moment the call may be made. Raises `Missed` when that moment has passed for good."""
        allowed = PACED_LATENESS if gap else LATENESS.total_seconds()
        while True:
            await self._wait_until(slot.timestamp())
            late = self._clock.seconds() - slot.timestamp()
            if late <= allowed:
                self._observer.late(late)
                return
            if not gap:
                raise Missed(f"the slot passed {late:.3f} s ago")
            later = to_milliseconds(datetime.fromtimestamp(self._clock.seconds(), UTC) + MOVE_AHEAD)
            if not await self._slots.move(sender, slot=slot, gap=gap, to=later):
                raise Missed(f"the slot passed {late:.3f} s ago and the next one is given away")
            self._observer.moved()
            slot = later

    async def _wait_until(self, moment: float) -> None:
        remaining = moment - self._clock.seconds()
        if remaining > COARSE:
            await asyncio.sleep(remaining - COARSE)
        while self._clock.seconds() < moment:  # noqa: ASYNC110 - no event tells the time
            await asyncio.sleep(0)
