"""Calls are made at the moment that was granted, neither before nor noticeably after."""

import asyncio
import math
import statistics
from collections import deque
from datetime import UTC, datetime, timedelta

from common.kernel.clock import to_milliseconds
from gateway.application.ports import Observer, PreciseClock, Slots
from gateway.domain.answer import Missed

PACED_LATENESS = 0.001
"""Seconds a paced call may be late before the gate must know: the next slot counts from the true moment."""
MOVE_AHEAD = timedelta(milliseconds=6)
"""How far ahead a late call is dated: what the write of the new moment takes, and a little."""
USUAL_ANSWERS = 15
"""The answers that tell how long one usually takes,"""
FEWEST_ANSWERS = 3
"""and how many of them it takes to tell; before that, all the time an answer takes is unusual."""
MOST_EXCESS = 0.025
"""Seconds; a longer answer was the provider's own doing, not its late reading."""
FARTHEST = 1.0
"""Seconds; no slot is granted so far ahead, so one that seems to be shows that our clock stood still."""
BEHIND = FARTHEST * 0.9
"""Seconds a late call waits at most behind those whose slots were given away meanwhile."""
COARSE = 0.002
"""Timers are good to about a millisecond; the last stretch is spent watching the clock."""


class KeepSlot:
    """Waits for a slot and settles with the gate what comes late.

    `lateness` is what the gate allows a call that no gap paces.
    """

    def __init__(self, *, clock: PreciseClock, slots: Slots, observer: Observer, lateness: timedelta) -> None:
        self._clock = clock
        self._slots = slots
        self._observer = observer
        self._lateness = lateness.total_seconds()
        self._usual: dict[str, deque[float]] = {}

    async def reach(self, sender: str, slot: datetime, gap: float, *, before: float) -> datetime:
        """Return at the moment the call may be made, and that moment.

        Raises `Missed` when it passed for good, or is not reached `before` (Unix seconds).
        """
        allowed = PACED_LATENESS if gap else self._lateness
        while True:
            await self._wait_until(slot.timestamp())
            now = self._clock.seconds()
            if now > before:  # dating a slot waits for MongoDB
                raise Missed("starting the attempt took too long")
            late = now - slot.timestamp()
            if late <= allowed:
                self._observer.late(late)
                return slot
            later = to_milliseconds(datetime.fromtimestamp(now, UTC) + MOVE_AHEAD)
            slot = await self._dated(sender, slot, gap, late=late, to=later)

    async def answered(self, sender: str, slot: datetime, gap: float, *, seconds: float) -> None:
        """Let the gate know when an answer took longer than usual.

        The provider may have seen the call that much later than we made it, and the next one must keep its gap from
        what the provider saw. Only what is unusual counts, so a provider that is always slow costs the pacing nothing.
        """
        answers = self._usual.setdefault(sender, deque(maxlen=USUAL_ANSWERS))
        usual = statistics.median(answers) if len(answers) >= FEWEST_ANSWERS else 0.0
        excess = min(seconds - usual, MOST_EXCESS)
        answers.append(seconds)
        if excess > PACED_LATENESS:
            later = slot + timedelta(milliseconds=math.ceil(excess * 1000))
            if await self._slots.move(sender, slot=slot, gap=gap, to=later) is not None:
                self._observer.moved()

    async def _dated(self, sender: str, slot: datetime, gap: float, *, late: float, to: datetime) -> datetime:
        """With a short gap the next slots are given away before this call is known to be late; it follows them."""
        if gap:
            moved = await self._slots.move(sender, slot=slot, gap=gap, to=to, behind=BEHIND)
        else:
            moved = to if await self._slots.date(sender, slot=slot, to=to) else None
        if moved is None:
            raise Missed(f"the slot passed {late:.3f} s ago and could not be dated later")
        self._observer.moved()
        return moved

    async def _wait_until(self, moment: float) -> None:
        remaining = moment - self._clock.seconds()
        if remaining > FARTHEST:
            raise Missed(f"the slot seems to be {remaining:.3f} s ahead")
        if remaining > COARSE:
            await asyncio.sleep(remaining - COARSE)
        while self._clock.seconds() < moment:  # noqa: ASYNC110 - no event tells the time
            await asyncio.sleep(0)
