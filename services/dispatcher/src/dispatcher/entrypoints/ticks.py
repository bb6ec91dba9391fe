"""What time makes the dispatcher do."""

import asyncio
from collections.abc import Callable

from common.contracts.documents import SenderDocument
from common.runtime.loops import repeatedly
from common.runtime.process import Loop
from dispatcher.application.announce import Announce
from dispatcher.application.apply_reports import ApplyReports
from dispatcher.application.ask_for_proof import AskForProof
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.application.lookout import Lookout
from dispatcher.application.measure_queue import MeasureQueue
from dispatcher.application.measure_senders import MeasureSenders
from dispatcher.application.plan_broadcasts import PlanBroadcasts
from dispatcher.application.plan_notification import PlanNotifications
from dispatcher.application.serve_sender import ServeSender

LOOKOUT_SECONDS = 0.2
"""A sender that a person resumed, or whose gateway came back, is used this soon."""
UNPLANNED_SECONDS = 0.5
BROADCAST_SECONDS = 0.1
UNTOLD_SECONDS = 0.5
EARLY_SECONDS = 0.5
PROOF_SECONDS = 0.5
SENDERS_SECONDS = 5.0
SWEEP_SECONDS = 0.1
"""Backoffs and deadlines are found this soon after they passed."""


class SenderLoops:
    """Keeps the picture of the senders fresh and one serving loop running for each.

    `served` says of a provider whether anything is sent through it; what waits for the others waits.
    """

    def __init__(
        self, lookout: Lookout, serve: Callable[[SenderDocument], ServeSender], *, served: Callable[[str], bool]
    ) -> None:
        self._lookout = lookout
        self._serve = serve
        self._served = served
        self._serving: dict[str, tuple[ServeSender, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await repeatedly(self._look, name="senders", every=LOOKOUT_SECONDS)
        finally:
            tasks = [task for _, task in self._serving.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def drain(self) -> None:
        """Wait until whatever is claimed is handed over; the process is stopping, so nothing new is claimed."""
        for serving, _ in self._serving.values():
            await serving.idle()

    async def _look(self) -> None:
        await self._lookout.renew()
        for sender in self._lookout.senders():
            identity = sender["_id"]
            if identity not in self._serving and self._served(sender["provider"]):
                serving = self._serve(sender)
                self._lookout.on_change(serving.bell.ring)
                loop = repeatedly(serving.step, name=f"serve {identity}", every=0)
                self._serving[identity] = (serving, asyncio.create_task(loop))


def loops(
    *,
    senders: SenderLoops,
    plan: PlanNotifications,
    broadcasts: PlanBroadcasts,
    decide: DecideOutcomes,
    reports: ApplyReports,
    prove: AskForProof,
    measure: MeasureQueue,
    measure_senders: MeasureSenders,
    announce: Announce,
) -> list[Loop]:
    """The loops of the process."""
    return [
        lambda: repeatedly(decide.overdue, name="deadlines", every=SWEEP_SECONDS),
        lambda: repeatedly(plan.overdue, name="unplanned", every=UNPLANNED_SECONDS),
        lambda: repeatedly(broadcasts, name="broadcasts", every=BROADCAST_SECONDS),
        lambda: repeatedly(reports.retry_early, name="early reports", every=EARLY_SECONDS),
        lambda: repeatedly(prove, name="proof", every=PROOF_SECONDS),
        lambda: repeatedly(measure, name="queue", every=0.5),
        lambda: repeatedly(measure_senders, name="figures of senders", every=SENDERS_SECONDS),
        lambda: repeatedly(announce.step, name="announcements", every=0),
        lambda: repeatedly(announce.overdue, name="untold", every=UNTOLD_SECONDS),
        senders.run,
    ]
