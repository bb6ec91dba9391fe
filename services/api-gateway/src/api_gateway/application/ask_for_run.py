"""Asking the schedulers for a run of a job, now."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Protocol

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import AuditLog
from api_gateway.domain.access import Caller
from api_gateway.domain.moments import day
from api_gateway.domain.refusals import Code, Missing, invalid, missing
from common.contracts.documents import JobDocument, JobRunDocument
from common.contracts.vocabulary import RunStatus, RunTrigger
from common.telemetry import tracing

EARLIEST = date(2000, 1, 1)
FURTHEST = timedelta(days=366)
"""How far ahead a dry run may look."""
FIELD = "date"


class Jobs(Protocol):
    """What the schedulers tell of the jobs, and their runs."""

    async def all(self) -> list[JobDocument]: ...

    async def get(self, name: str) -> JobDocument | None: ...

    async def last_run(self, name: str) -> JobRunDocument | None: ...

    async def page(self, name: str, before: tuple[datetime, str] | None, limit: int) -> list[JobRunDocument]:
        """The latest first; `before` is the last one of the page before."""
        ...

    async def run(self, run_id: str) -> JobRunDocument | None: ...

    async def ask(self, run: JobRunDocument) -> None:
        """Have it run by whichever scheduler comes first; asking for the same again changes nothing."""
        ...


@dataclass(frozen=True)
class AskForRun:
    jobs: Jobs
    audit: AuditLog
    zone: tzinfo

    async def job(self, name: str) -> JobDocument:
        """Raises `Missing` naming those there are."""
        found = await self.jobs.get(name)
        if found is None:
            known = ", ".join(one["_id"] for one in await self.jobs.all())
            told = f"known are {known}" if known else "no scheduler has told of any yet"
            raise Missing(Code.NOT_FOUND, f"there is no job {name[:80]}; {told}")
        return found

    async def run(self, name: str, run_id: str) -> JobRunDocument:
        """Raises `Missing`."""
        job = await self.job(name)
        found = await self.jobs.run(run_id)
        if found is None or found["job"] != job["_id"]:
            raise missing(f"run of {job['_id']}", run_id)
        return found

    async def __call__(
        self, name: str, written: str | None, caller: Caller, turn: Turn, *, dry_run: bool
    ) -> JobRunDocument:
        """Raises `Missing`, and `Refused` naming the date."""
        job = await self.job(name)
        wanted = _chosen(written, turn.since.astimezone(self.zone).date(), dry_run=dry_run)
        run = JobRunDocument(
            _id=turn.notification_id.replace("ntf_", "run_", 1),
            job=job["_id"],
            due_at=turn.since,
            day=wanted.isoformat(),
            trigger=RunTrigger.PERSON,
            requested_by=caller.subject,
            dry_run=dry_run,
            status=RunStatus.REQUESTED,
            claimed_by=None,
            claim=None,
            claims=0,
            lease_until=None,
            started_at=None,
            finished_at=None,
            found=0,
            dispatched=0,
            skipped={},
            lines=[],
            errors=[],
        )
        if (traceparent := tracing.current_traceparent()) is not None:
            run["traceparent"] = traceparent
        async with self.audit.changing(caller, "job.run", job["_id"]) as noted:
            await self.jobs.ask(run)
            noted.after = {"run_id": run["_id"], FIELD: run["day"], "dry_run": dry_run}
        return run


def _chosen(written: str | None, today: date, *, dry_run: bool) -> date:
    if written is None:
        return today
    wanted = day(FIELD, written)
    if wanted > today and not dry_run:
        raise invalid(FIELD, f"{wanted} is still to come (today is {today}); only a dry run may look ahead")
    if not EARLIEST <= wanted <= today + FURTHEST:
        raise invalid(FIELD, f"must lie between {EARLIEST} and {today + FURTHEST}")
    return wanted
