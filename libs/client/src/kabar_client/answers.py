"""What Kabar answers. Fields that came later are kept as they are, so an older client reads a newer Kabar."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Rejected(Answer):
    """One recipient of a list who is left out; `index` counts from 0, `value` is masked."""

    index: int
    value: str
    code: str
    error: str


class Accepted(Answer):
    """A notification was accepted for so many `deliveries`; of a direct send `delivery` says what became of it."""

    success: bool
    notification_id: str
    deliveries: int
    estimated_finish: datetime | None = None
    rejected: list[Rejected] = []
    warning: str | None = None
    delivery: dict[str, Any] | None = None


class Notification(Answer):
    """`progress` counts its deliveries by status."""

    id: str
    type: str
    status: str
    recipients: int
    planned: int
    progress: dict[str, int]
    estimated_finish: datetime | None = None
    expires_at: datetime
    created_at: datetime
    created_by: str
    trace_id: str | None = None


class Attempt(Answer):
    number: int
    provider: str
    sender: str
    outcome: str
    error: str | None = None
    code: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    provider_message_id: str | None = None


class TimelineEntry(Answer):
    at: datetime
    status: str
    cause: str


class Delivery(Answer):
    """`recipient` is masked; a list of deliveries has every field too, but for `waiting_for`, what keeps it now."""

    id: str
    notification_id: str
    type: str
    channel: str
    template: str | None = None
    recipient: str
    status: str
    priority: str
    failover: bool
    possible_duplicate: bool
    reason: str | None = None
    code: str | None = None
    attempts: list[Attempt] = []
    timeline: list[TimelineEntry] = []
    created_at: datetime
    sent_at: datetime | None = None
    discarded_at: datetime | None = None
    trace_id: str | None = None
    waiting_for: str | None = None


class Suppression(Answer):
    """Somebody nobody may contact; `recipient` is masked, `id` is what to lift it by."""

    id: str
    recipient: str
    reason: str
    note: str | None = None
    created_by: str
    created_at: datetime


class RowTold(Answer):
    """What became of one row told to the directory: `outcome` is `new changed unchanged`, `changed` its fields."""

    success: bool
    dry_run: bool = False
    id: str
    outcome: str
    changed: list[str] = []


class RowRefused(Answer):
    """Why a row is left out: `row` counts from 1, `line` is where it begins in the file."""

    row: int
    line: int | None = None
    id: str | None = None
    field: str | None = None
    value: str | None = None
    code: str
    error: str


class Told(Answer):
    """What became of rows told to the directory: how many were `read`, which the next four add up to, and why some were
    refused (the first 1,000).
    """

    success: bool
    dry_run: bool = False
    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: list[RowRefused] = []
