"""When each job is next expected to have been done."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from common.kernel.clock import Clock
from scheduler.application.alert_ports import Observations
from scheduler.application.ports import JobRuns, Jobs, ScheduledJob
from scheduler.domain.findings import ObservedJob

LOOK_EVERY = timedelta(seconds=15)


class ObserveJobs:
    """Watched since this process began: what was late before it, it may still be about to run."""

    def __init__(
        self, jobs: Sequence[ScheduledJob], runs: JobRuns, shown: Jobs, observations: Observations, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._runs = runs
        self._shown = shown
        self._observations = observations
        self._clock = clock
        self._began_at: datetime | None = None
        self._looked_at: datetime | None = None
        self._observed: tuple[ObservedJob, ...] = ()

    async def __call__(self) -> tuple[ObservedJob, ...]:
        now = self._clock.now()
        self._began_at = self._began_at or now
        if self._looked_at is None or now - self._looked_at >= LOOK_EVERY:
            running = await self._observations.running()
            found = [await self._observe(scheduled, running, self._began_at) for scheduled in self._jobs]
            self._observed = tuple(one for one in found if one is not None)
            self._looked_at = now
        return self._observed

    async def _observe(self, scheduled: ScheduledJob, running: set[str], began_at: datetime) -> ObservedJob | None:
        name, schedule = scheduled.job.name, scheduled.schedule
        since = None if schedule is None else await self._shown.since(name)
        if schedule is None or since is None:
            return None
        done_at = await self._runs.last_success(name, schedule.zone.key)
        expected_at = schedule.next_after(max(since, done_at or since))
        return ObservedJob(name, expected_at, watched_since=began_at, running=name in running)
