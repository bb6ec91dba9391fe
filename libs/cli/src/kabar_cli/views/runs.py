"""Jobs and how they ran."""

from datetime import datetime

from kabar_cli.tables import Column, Columns, Rows
from kabar_cli.wording import clock, reasons
from kabar_client import Job, JobRun


def jobs_table(jobs: list[Job], now: datetime) -> Rows:
    rows = [(one.name, one.schedule, _next(one, now), *_last(one.last_run, now)) for one in jobs]
    return Rows(["job", "schedule", "next run", "last run", "outcome"], rows)


def lines_table(run: JobRun) -> Rows:
    """A line per part, and the whole."""
    columns: Columns = ["", Column("found", right=True), Column("dispatched", right=True), "skipped"]
    rows = [(one.name, f"{one.found:,}", f"{one.dispatched:,}", reasons(one.skipped)) for one in run.lines]
    return Rows(columns, [*rows, ("all", f"{run.found:,}", f"{run.dispatched:,}", reasons(run.skipped))])


def _next(job: Job, now: datetime) -> str:
    if job.next_run is None:
        return "when asked for"
    return f"{clock(job.next_run, now)}{', overdue' if job.overdue else ''}"


def _last(run: JobRun | None, now: datetime) -> tuple[str, str]:
    if run is None:
        return "-", "never ran"
    at = clock(run.finished_at or run.started_at or run.due_at, now)
    if run.status != "done":
        return at, f"{run.status}: {run.errors[0]}" if run.errors else run.status
    dry = ", dry run" if run.dry_run else ""
    return at, f"done, {run.dispatched:,} of {run.found:,} dispatched{dry}"
