"""What time makes the dispatcher do."""

import asyncio
from collections.abc import Callable

from common.runtime.loops import repeatedly
from common.runtime.process import Loop
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.application.lookout import Lookout
from dispatcher.application.measure_queue import MeasureQueue
from dispatcher.application.plan_notification import PlanNotifications
from dispatcher.application.serve_sender import ServeSender

LOOKOUT_SECONDS = 0.5
SWEEP_SECONDS = 0.1
"""Backoffs and deadlines are found this soon after they passed."""


def loops(
    *, lookout: Lookout, plan: PlanNotifications, decide: DecideOutcomes, measure: MeasureQueue,
    serve: Callable[[str], ServeSender] | None,
) -> list[Loop]:  # fmt: skip
    """The loops of the process; without `serve` nothing is sent and everything waits."""

    async def senders() -> None:
        await serve_all(lookout, serve)

    return [
        lambda: repeatedly(decide.overdue, name="deadlines", every=SWEEP_SECONDS),
        lambda: repeatedly(plan.overdue, name="unplanned", every=LOOKOUT_SECONDS),
        lambda: repeatedly(measure, name="queue", every=2.0),
        senders,
    ]


async def serve_all(lookout: Lookout, serve: Callable[[str], ServeSender] | None) -> None:
    """Keep the picture of the senders fresh and one serving loop running for each; until cancelled."""
    serving: dict[str, asyncio.Task[None]] = {}

    async def look() -> None:
        await lookout.renew()
        for sender in lookout.senders() if serve is not None else ():
            identity = sender["_id"]
            if identity not in serving and serve is not None:
                loop = serve(identity)
                lookout.on_change(loop.bell.ring)
                serving[identity] = asyncio.create_task(repeatedly(loop.step, name=f"serve {identity}", every=0))

    try:
        await repeatedly(look, name="senders", every=LOOKOUT_SECONDS)
    finally:
        for task in serving.values():
            task.cancel()
        await asyncio.gather(*serving.values(), return_exceptions=True)
