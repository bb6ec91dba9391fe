"""What clients are answered about jobs, as /openapi.json tells it."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from api_gateway.entrypoints.answers import Done
from common.contracts.vocabulary import RunStatus, RunTrigger


class JobRun(BaseModel):
    """`date` is the local day it stands for; `skipped` counts by reason."""

    id: str
    job: str
    due_at: datetime
    date: date
    trigger: RunTrigger
    requested_by: str | None
    dry_run: bool
    status: RunStatus
    started_at: datetime | None
    finished_at: datetime | None
    found: int
    dispatched: int
    skipped: dict[str, int]
    errors: list[str]


class JobRunLine(BaseModel):
    name: str
    found: int
    dispatched: int
    skipped: dict[str, int]


class JobRunShown(JobRun):
    """`lines`: its parts, like the stages of dunning. `claims`: how often a scheduler began it."""

    lines: list[JobRunLine]
    claimed_by: str | None
    claims: int


class Job(BaseModel):
    name: str
    schedule: str | None = Field(description="Null when it is off: it runs when somebody asks for it.")
    timezone: str | None
    next_run: datetime | None
    overdue: bool = Field(description="Its time has passed and no scheduler took notice.")
    oldest_seconds: float = Field(description="An older firing is not run any more.")
    longest_seconds: float = Field(description="A longer run is ended.")
    last_run: JobRun | None


class JobRunAsked(Done):
    run_id: str
    job: str
    date: date
    dry_run: bool
    status: RunStatus
