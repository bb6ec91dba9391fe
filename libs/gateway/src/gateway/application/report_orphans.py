"""What a gateway that died had started is reported as unknown; it is never called again."""

import asyncio
from collections.abc import Callable

from common.contracts.events import AttemptsRequested
from common.kernel.failures import Transient
from common.kernel.trace_context import read_traceparent
from common.telemetry import tracing
from gateway.application.make_outcome import make_outcome
from gateway.application.ports import Deliveries, Observer, Outcomes, PreciseClock, StartedElsewhere
from gateway.domain.answer import Unknown

STARTER_GRACE = 3.0
"""Seconds an attempt found started gets to be ended by its starter, who may only have lost its connection."""
LOOK_EVERY = 0.5
STARTER_GONE = "the gateway that started it is gone"


class ReportOrphans:
    """Looks after attempts of a redelivered envelope that somebody else had started."""

    def __init__(self, *, deliveries: Deliveries, outcomes: Outcomes, clock: PreciseClock, observer: Observer) -> None:
        self._deliveries = deliveries
        self._outcomes = outcomes
        self._clock = clock
        self._observer = observer

    async def __call__(self, asked: AttemptsRequested, *, token: str, ours: Callable[[str], bool]) -> None:
        """Return once every orphan's outcome is safe; `ours` tells the handlings that run in this very process."""
        waited = 0.0
        while True:
            orphans = [one for one in await self._look(asked, token) if not ours(one.started_by)]
            if not orphans or waited >= STARTER_GRACE:
                break
            await asyncio.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
        await asyncio.gather(*(self._report(asked, orphan) for orphan in orphans))

    async def _look(self, asked: AttemptsRequested, token: str) -> list[StartedElsewhere]:
        while True:
            try:
                return await self._deliveries.started_elsewhere(asked, token)
            except Transient:
                await asyncio.sleep(LOOK_EVERY)

    async def _report(self, asked: AttemptsRequested, orphan: StartedElsewhere) -> None:
        # The call's own span died with whoever made it.
        traceparent = next(one.traceparent for one in asked.attempts if one.delivery_id == orphan.delivery_id)
        outcome = make_outcome(
            Unknown(STARTER_GONE),
            delivery_id=orphan.delivery_id,
            number=orphan.number,
            claim=asked.claim,
            sender=asked.sender,
            started_at=orphan.started_at,
            finished_at=self._clock.now(),
            traceparent=traceparent,
        )
        with tracing.within(read_traceparent(traceparent)):
            self._observer.finished(outcome, seconds=None)
        await self._outcomes.put(outcome)
