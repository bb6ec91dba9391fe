"""What jobs are to the scheduler, and what it needs of the world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from common.contracts.documents import JobDocument, JobRunDocument
from scheduler.domain.firing import Firing
from scheduler.domain.schedule import Schedule
from scheduler.domain.tally import Line, Tally

__all__ = ["Firing", "Job", "JobRuns", "Jobs", "Line", "ScheduledJob", "Tally"]


class Job(Protocol):
    """What is done when it is due. After a crash a firing is run again: what was done for it is not done twice."""

    @property
    def name(self) -> str: ...

    async def run(self, firing: Firing) -> Tally:
        """Do it. Whatever it raises is recorded as the run's error."""
        ...


@dataclass(frozen=True)
class ScheduledJob:
    """`schedule` is `None` for a job that runs when a person asks for it only. A firing nobody ran for `oldest` is not
    run any more; a run that takes `longest` is ended.
    """

    schedule: Schedule | None
    job: Job
    oldest: timedelta
    longest: timedelta


class JobRuns(Protocol):
    """The runs of all jobs. Every method raises `Transient` while they cannot be reached."""

    async def add(self, runs: Sequence[JobRunDocument]) -> list[str]:
        """Write down those that are not there yet; the identities of those that were not."""
        ...

    async def newest_due(self, job: str, until: datetime) -> datetime | None:
        """When the newest firing of its schedule was due that anybody looked at."""
        ...

    async def claim(
        self, oldest: Mapping[str, datetime], *, instance: str, claim: str, now: datetime, until: datetime
    ) -> JobRunDocument | None:
        """A run of one of these jobs that was due no earlier than its `oldest` and that nobody runs, or nobody any
        more: nobody else gets it before `until`. The one due first.
        """
        ...

    async def renew(self, run_id: str, claim: str, until: datetime) -> bool:
        """Keep it until then; `False` when somebody else has it."""
        ...

    async def finish(self, run_id: str, claim: str, changes: Mapping[str, object]) -> bool:
        """End it; `False` when somebody else has it."""
        ...

    async def release(self, run_id: str, claim: str) -> None:
        """Let others run it at once, as if nobody had begun."""
        ...

    async def give_up(self, job: str, *, before: datetime, now: datetime) -> tuple[int, int]:
        """End what was due before that moment, and what nobody survives running: how many were missed, and failed."""
        ...

    async def waited_for(self) -> set[str]:
        """The jobs that have runs which have not ended."""
        ...

    async def last_success(self, job: str, timezone: str) -> datetime | None:
        """When the last run for its own day ended well."""
        ...


class Jobs(Protocol):
    """What others may know of the jobs. Every method raises `Transient` while it cannot be reached."""

    async def known(self, job: JobDocument) -> JobDocument:
        """Make a job known; what is then known of it. With another schedule than before it begins anew."""
        ...

    async def show_next(self, job: str, schedule: str | None, next_run: datetime | None) -> None:
        """Unless it has another schedule by now."""
        ...

    async def names(self) -> set[str]:
        """Those that are known."""
        ...

    async def seen(self, jobs: Sequence[str], now: datetime) -> None:
        """Note that they are still there."""
        ...

    async def forget(self, before: datetime) -> list[str]:
        """Take away those that were last seen before a moment, or never; which they are."""
        ...

    async def since(self, job: str) -> datetime | None:
        """When its schedule became what it is; `None` before it is known."""
        ...
