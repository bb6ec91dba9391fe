"""The life of a run: requested, running, and one end."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from common.contracts.documents import JobLine, JobRunDocument
from common.contracts.vocabulary import RunStatus, RunTrigger
from scheduler.domain.firing import Firing
from scheduler.domain.tally import Line, Tally

MOST_CLAIMS = 5
"""A run whose scheduler died so often may be what kills them."""
MOST_ERRORS = 50
MOST_LINES = 200
MOST_CHARACTERS = 500


def planned(firing: Firing, status: RunStatus, *, now: datetime) -> JobRunDocument:
    """The run of a schedule's firing, requested or missed."""
    return JobRunDocument(
        _id=firing.identity,
        job=firing.job,
        due_at=firing.due_at,
        day=firing.day.isoformat(),
        trigger=RunTrigger.SCHEDULE,
        requested_by=None,
        dry_run=firing.dry_run,
        status=status,
        claimed_by=None,
        claim=None,
        claims=0,
        lease_until=None,
        started_at=None,
        finished_at=now if status is RunStatus.MISSED else None,
        found=0,
        dispatched=0,
        skipped={},
        lines=[],
        errors=[],
    )


def firing_of(run: JobRunDocument) -> Firing:
    """What a run is of, as its job is told."""
    return Firing(run["job"], run["due_at"], date.fromisoformat(run["day"]), run["dry_run"], run["_id"])


def counted(tally: Tally) -> dict[str, object]:
    """The figures of a tally as a run keeps them, no larger than a document may be."""
    return {
        "found": tally.found,
        "dispatched": tally.dispatched,
        "skipped": _by_reason(tally.skipped),
        "lines": [_line(line) for line in tally.lines[:MOST_LINES]],
    }


def kept(errors: Sequence[str]) -> list[str]:
    """The first errors, and how many there were besides."""
    first = [error[:MOST_CHARACTERS] for error in errors[:MOST_ERRORS]]
    return first if len(errors) <= MOST_ERRORS else [*first, f"and {len(errors) - MOST_ERRORS} more"]


def _line(line: Line) -> JobLine:
    return JobLine(name=line.name, found=line.found, dispatched=line.dispatched, skipped=_by_reason(line.skipped))


def _by_reason(skipped: Mapping[str, int]) -> dict[str, int]:
    return {str(reason): int(count) for reason, count in skipped.items()}
