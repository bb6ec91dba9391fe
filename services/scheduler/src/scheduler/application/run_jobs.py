"""Running what is requested: claimed, kept while it runs, ended with what it came to."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from common.contracts.documents import JobRunDocument
from common.contracts.vocabulary import RunStatus
from common.kernel.clock import Clock
from common.kernel.failures import Transient
from common.kernel.identity import new_id
from common.telemetry import tracing
from common.telemetry.failures import summary
from common.telemetry.logs import clean, logger
from scheduler.application.ports import JobRuns, ScheduledJob, Tally
from scheduler.domain.runs import counted, firing_of, kept
from scheduler.metrics import Metrics

LEASE = timedelta(seconds=15)
"""So long after its scheduler died a run is taken over."""
RENEW_SECONDS = 4.0
DRAIN_SECONDS = 15.0
AGAIN_SECONDS = 1.0
log = logger()


@dataclass(frozen=True)
class _Begun:
    run: JobRunDocument
    claim: str
    work: asyncio.Task[None]


class RunJobs:
    """Of one job one run at a time in a process, of different jobs any number beside each other.

    A scheduler that stops gives back what it could not finish; the run of one that died is taken over when its lease
    ends. Either way the job is run again for the same firing.
    """

    def __init__(
        self,
        jobs: Sequence[ScheduledJob],
        runs: JobRuns,
        clock: Clock,
        metrics: Metrics,
        *,
        instance: str,
        stopping: Callable[[], bool],
        lease: timedelta = LEASE,
        transient: tuple[type[Exception], ...] = (Transient,),
    ) -> None:
        self._jobs = {scheduled.job.name: scheduled for scheduled in jobs}
        self._runs = runs
        self._clock = clock
        self._metrics = metrics
        self._instance = instance
        self._stopping = stopping
        self._lease = lease
        self._transient = transient
        self._begun: dict[str, _Begun] = {}

    async def claim(self) -> bool:
        """Begin one run, if there is any; whether there was."""
        now = self._clock.now()
        free = {name: now - one.oldest for name, one in self._jobs.items() if name not in self._begun}
        if not free or self._stopping():
            return False
        claim = new_id("claim")
        run = await self._runs.claim(free, instance=self._instance, claim=claim, now=now, until=now + self._lease)
        if run is None:
            return False
        name = run["job"]
        work = asyncio.create_task(self._perform(self._jobs[name], run, claim))
        self._begun[name] = _Begun(run, claim, work)
        work.add_done_callback(lambda done: self._ended(name, done))
        return True

    async def renew(self) -> None:
        """Keep what runs; stop working on what somebody else has by now."""
        for begun in list(self._begun.values()):
            if not await self._runs.renew(begun.run["_id"], begun.claim, self._clock.now() + self._lease):
                log.warning("job.lost", job=begun.run["job"], run_id=begun.run["_id"])
                begun.work.cancel()

    async def give_up(self) -> None:
        """End what is too old to be run."""
        now = self._clock.now()
        for name, scheduled in self._jobs.items():
            missed, failed = await self._runs.give_up(name, before=now - scheduled.oldest, now=now)
            for outcome, runs in ((RunStatus.MISSED, missed), (RunStatus.FAILED, failed)):
                if runs:
                    self._metrics.ended(name, outcome, runs)
                    log.warning("job.given_up", job=name, outcome=outcome.value, runs=runs)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Let what runs end for a while, then give the rest back."""
        work = [begun.work for begun in self._begun.values()]
        if work:
            _, late = await asyncio.wait(work, timeout=seconds)
            for one in late:
                one.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, name: str, work: asyncio.Task[None]) -> None:
        self._begun.pop(name, None)
        if not work.cancelled() and (error := work.exception()) is not None:
            log.error("job.not_recorded", job=name, exc_info=error)  # it is run again once its lease is over

    async def _perform(self, scheduled: ScheduledJob, run: JobRunDocument, claim: str) -> None:
        with tracing.span(f"run {run['job']}", tracing.of(run), head=True) as span:
            span.note(run_id=run["_id"], dry_run=run["dry_run"])
            await self._performed(scheduled, run, claim, span)

    async def _performed(self, scheduled: ScheduledJob, run: JobRunDocument, claim: str, span: tracing.Span) -> None:
        log.info("job.started", job=run["job"], run_id=run["_id"], claims=run["claims"])
        try:
            status, changes = await self._work(scheduled, run)
        except asyncio.CancelledError:
            await self._runs.release(run["_id"], claim)
            raise
        while True:
            try:
                ended = {**changes, "status": status.value, "finished_at": self._clock.now()}
                if not await self._runs.finish(run["_id"], claim, ended):
                    return  # somebody else took it over
                break
            except Transient:  # its lease is renewed meanwhile
                await asyncio.sleep(AGAIN_SECONDS)
        span.end(status=status.value, failed=status is RunStatus.FAILED)
        if not run["dry_run"]:
            self._metrics.ended(run["job"], status)
        log.info("job.ended", job=run["job"], run_id=run["_id"], status=status.value, **_figures(changes))

    async def _work(self, scheduled: ScheduledJob, run: JobRunDocument) -> tuple[RunStatus, Mapping[str, object]]:
        longest = scheduled.longest.total_seconds()
        try:
            async with asyncio.timeout(longest) as limit:
                tally = await self._run(scheduled, run)
            changes = {**counted(tally), "errors": kept([clean(error) for error in tally.errors])}
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                return RunStatus.FAILED, {"errors": [f"took longer than {longest:g} s and was ended"]}
            log.warning("job.failed", job=run["job"], run_id=run["_id"], exc_info=error)
            return RunStatus.FAILED, {"errors": kept([clean(summary(error))])}
        return RunStatus.DONE, changes

    async def _run(self, scheduled: ScheduledJob, run: JobRunDocument) -> Tally:
        """Again from its beginning when something was away in its middle: what it did already it does not do twice."""
        while True:
            try:
                return await scheduled.job.run(firing_of(run))
            except self._transient as error:
                log.warning("job.interrupted", job=run["job"], run_id=run["_id"], error=clean(summary(error)))
                await asyncio.sleep(AGAIN_SECONDS)


def _figures(changes: Mapping[str, object]) -> dict[str, object]:
    return {name: changes[name] for name in ("found", "dispatched", "skipped") if name in changes}
