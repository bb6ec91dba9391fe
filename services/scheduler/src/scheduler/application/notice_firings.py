"""Writing down every firing as it comes, and once, whoever else does."""

from collections.abc import Sequence
from datetime import date, datetime

from common.contracts.documents import JobDocument, JobRunDocument
from common.contracts.vocabulary import RunStatus
from common.kernel.clock import Clock
from common.telemetry.logs import logger
from scheduler.application.ports import JobRuns, Jobs, ScheduledJob
from scheduler.domain.catching_up import LONGEST_LOOK_BACK, catch_up
from scheduler.domain.firing import Firing
from scheduler.domain.runs import planned
from scheduler.domain.schedule import Schedule
from scheduler.metrics import Metrics

log = logger()


class NoticeFirings:
    """One look at all jobs a call. Every firing leaves a run, under an identity derived from its moment: whoever looks
    again, with whatever clock, finds it there. After a restart the newest run says from when on to look.
    """

    def __init__(
        self, jobs: Sequence[ScheduledJob], runs: JobRuns, shown: Jobs, clock: Clock, metrics: Metrics
    ) -> None:
        self._jobs = jobs
        self._runs = runs
        self._shown = shown
        self._clock = clock
        self._metrics = metrics
        self._looked: dict[str, tuple[datetime, datetime | None]] = {}
        """Until when a job's firings were looked at, and when the next one is due."""
        for job in jobs:
            metrics.known(job.job.name)

    async def __call__(self) -> None:
        failures: list[Exception] = []
        for scheduled in self._jobs:
            try:
                await self._look(scheduled, self._clock.now())
            except Exception as error:  # noqa: BLE001 - raised once every other job was looked at
                failures.append(error)
        if failures:
            raise ExceptionGroup("some jobs could not be looked at", failures)

    async def _look(self, scheduled: ScheduledJob, now: datetime) -> None:
        name, schedule = scheduled.job.name, scheduled.schedule
        if name not in self._looked:
            since, shown = await self._begin(scheduled, now)
            if schedule is None:
                self._looked[name] = (since, None)
                return
        else:
            since, shown = self._looked[name]
            nothing_is_due = since <= now and (shown is None or now < shown)
            if schedule is None or nothing_is_due:
                return
        since = max(min(since, now), now - LONGEST_LOOK_BACK)  # a clock that was put back tells the same again
        await self._note(scheduled, schedule, schedule.between(since, now), now)
        next_run = schedule.next_after(now)
        if next_run != shown:
            await self._shown.show_next(name, schedule.expression, next_run)
        self._looked[name] = (now, next_run)

    async def _begin(self, scheduled: ScheduledJob, now: datetime) -> tuple[datetime, datetime | None]:
        schedule = scheduled.schedule
        next_run = None if schedule is None else schedule.next_after(now)
        known = await self._shown.known(as_shown(scheduled, now))
        noticed = await self._runs.newest_due(scheduled.job.name, now)
        return max(known["since"], noticed or known["since"]), next_run

    async def _note(self, scheduled: ScheduledJob, schedule: Schedule, due: Sequence[datetime], now: datetime) -> None:
        if not due:
            return
        name = scheduled.job.name
        caught = catch_up(due, now=now, oldest=scheduled.oldest)
        runs = [_run(name, schedule, moment, RunStatus.MISSED, now) for moment in caught.missed]
        if caught.run is not None:
            runs.append(_run(name, schedule, caught.run, RunStatus.REQUESTED, now))
        added = set(await self._runs.add(runs))
        missed = [run for run in runs if run["status"] == RunStatus.MISSED and run["_id"] in added]
        if missed:
            self._metrics.ended(name, RunStatus.MISSED, len(missed))
            log.warning("job.missed", job=name, firings=len(missed), last_due_at=missed[-1]["due_at"].isoformat())


def _run(job: str, schedule: Schedule, moment: datetime, status: RunStatus, now: datetime) -> JobRunDocument:
    return planned(Firing(job, moment, date.fromisoformat(schedule.day(moment))), status, now=now)


def as_shown(scheduled: ScheduledJob, now: datetime) -> JobDocument:
    """What others may know of a job that nobody knew before."""
    schedule = scheduled.schedule
    return JobDocument(
        _id=scheduled.job.name,
        schedule=None if schedule is None else schedule.expression,
        timezone=None if schedule is None else schedule.zone.key,
        next_run=None if schedule is None else schedule.next_after(now),
        oldest_seconds=scheduled.oldest.total_seconds(),
        longest_seconds=scheduled.longest.total_seconds(),
        since=now,
        seen_at=now,
    )
