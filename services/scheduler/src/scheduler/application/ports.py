"""What jobs are to the scheduler."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from scheduler.domain.firing import Firing
from scheduler.domain.schedule import Schedule
from scheduler.domain.tally import Line, Tally

__all__ = ["Firing", "Job", "Line", "ScheduledJob", "Tally"]


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
