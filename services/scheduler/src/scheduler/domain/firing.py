"""A moment a job is due at."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Firing:
    """`due_at` is in UTC; `day` the local date it stands for, which a person who asks for a run may choose. A dry run
    finds what a real one would, and tells nobody. `run_id` is its run's, the same when that is run again.
    """

    job: str
    due_at: datetime
    day: date
    dry_run: bool = False
    run_id: str = ""

    @property
    def identity(self) -> str:
        """Of the run of a schedule's firing: the same for whoever notices it, and however often."""
        return f"run_{self.job}_{self.due_at:%Y%m%dT%H%M%SZ}"

    def once(self, what: str, ends: datetime) -> str:
        """Under what it is told once that is about a time that ends then. What a person has told of a time that was not
        over is not what the schedule tells of it.
        """
        early = self.run_id not in {"", self.identity} and self.due_at < ends
        return f"{what}.{self.run_id}" if early else what
