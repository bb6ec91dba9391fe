"""When each job last did what it is there for, and when it is to do it again; also after a restart."""

from collections.abc import Sequence

from scheduler.application.alert_ports import Observations
from scheduler.application.ports import JobRuns, Jobs, ScheduledJob
from scheduler.metrics import Metrics


class MeasureJobs:
    """A job that has just been given its schedule counts from then on: it had no chance to succeed before."""

    def __init__(
        self, jobs: Sequence[ScheduledJob], runs: JobRuns, shown: Jobs, observations: Observations, metrics: Metrics
    ) -> None:
        self._jobs = jobs
        self._runs = runs
        self._shown = shown
        self._observations = observations
        self._metrics = metrics

    async def __call__(self) -> None:
        running = await self._observations.running()
        for scheduled in self._jobs:
            name, schedule = scheduled.job.name, scheduled.schedule
            since = None if schedule is None else await self._shown.since(name)
            if schedule is None or since is None:
                continue
            succeeded = await self._runs.last_success(name, schedule.zone.key)
            last = max(since, succeeded or since)
            due = schedule.next_after(last)
            self._metrics.expected(name, succeeded=last, due=due, running=name in running)
