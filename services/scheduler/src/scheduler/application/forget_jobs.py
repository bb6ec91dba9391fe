"""Have the list of jobs hold those there are: one that no release has any more goes from it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from common.kernel.clock import Clock
from common.telemetry.logs import logger
from scheduler.application.notice_firings import as_shown
from scheduler.application.ports import JobRuns, Jobs, ScheduledJob

UNSEEN_FOR = timedelta(minutes=10)
"""While releases change, another scheduler may be the only one that knows a job; it has so long to say so."""
log = logger()


class ForgetJobs:
    """Every scheduler says which jobs it knows, and forgets those that none has spoken of for long. It has to run for
    as long itself: after a night off, nobody has spoken of any. One that was cut off for so long finds its jobs
    forgotten, and has them listed anew.
    """

    def __init__(self, jobs: Sequence[ScheduledJob], runs: JobRuns, shown: Jobs, clock: Clock) -> None:
        self._jobs = {scheduled.job.name: scheduled for scheduled in jobs}
        self._runs = runs
        self._shown = shown
        self._clock = clock
        self._began_at: datetime | None = None

    async def __call__(self) -> None:
        now = self._clock.now()
        self._began_at = self._began_at or now
        await self._shown.seen(list(self._jobs), now)
        for name in self._jobs.keys() - await self._shown.names():
            await self._shown.known(as_shown(self._jobs[name], now))
        if now - self._began_at < UNSEEN_FOR:
            return
        for name in await self._shown.forget(now - UNSEEN_FOR):
            log.warning("job.forgotten", job=name)
        # Not only of those forgotten just now: whoever forgot a job may have died before this.
        for name in await self._runs.waited_for() - await self._shown.names():
            missed, failed = await self._runs.give_up(name, before=now, now=now)
            log.warning("job.given_up", job=name, runs=missed + failed)
