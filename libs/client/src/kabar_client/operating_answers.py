"""What Kabar answers to whoever operates it. Fields that came later are kept, as in `answers`."""

from datetime import date, datetime

from pydantic import Field

from kabar_client.answers import Answer


class Usage(Answer):
    """How much of a limit is used; a `limit` of 0 is none."""

    limit: int
    used: int
    reset_at: datetime | None = None


class Circuit(Answer):
    """`closed` while a sender works, `open` while it is left out, `half_open` while it is tried again."""

    state: str
    reason: str | None = None
    opened_at: datetime | None = None
    retry_at: datetime | None = None


class Quota(Answer):
    """Messages left as the provider told it last; what it does not tell is null."""

    remaining: int | None = None
    total: int | None = None
    at: datetime | None = None


class Device(Answer):
    """Whether the telephone is connected, as of `connected_at`; null as long as nobody knows."""

    connected: bool | None = None
    connected_at: datetime | None = None
    expires_on: date | None = None
    checked_at: datetime | None = None
    error: str | None = None


class Sender(Answer):
    """`status` is `available`, `paused` or `out`, `why` says why it is not available; `usage` by `minute hour day`."""

    id: str
    provider: str
    status: str
    why: str | None = None
    circuit: Circuit
    quota: Quota
    device: Device | None = None
    usage: dict[str, Usage]
    gap: float = 0.0
    gateway_alive: bool = True


class CheckedSender(Sender):
    """`answered`: whether its provider has; otherwise it is what was known before."""

    answered: bool


class NextMessage(Answer):
    id: str
    type: str
    recipient: str
    priority: str
    queued_at: datetime


class Queue(Answer):
    """`estimated_time` in seconds, null while no sender can take what waits; `failed_messages` wait for a person."""

    queue_length: int
    is_processing: bool
    failed_messages: int
    estimated_time: int | None = None
    estimated_finish: datetime | None = None
    sending: int = 0
    by_priority: dict[str, int]
    waiting_for_retry: int = 0
    oldest_seconds: int | None = None
    next_messages: list[NextMessage]


class Alert(Answer):
    """Something that is wrong, from when it was noticed until it was over. `cause` is the same each time, `kind` one of
    `device circuit quota job dead_deliveries parked_envelopes`, `about` the sender or the job, `status` `active` or
    `cleared`.
    """

    id: str
    cause: str
    kind: str
    about: str | None = None
    status: str
    summary: str
    raised_at: datetime
    cleared_at: datetime | None = None


class Held(Answer):
    """What a restored backup showed as not over; there may be `more`."""

    success: bool
    deliveries: int
    notifications: int
    runs: int
    requests: int
    more: bool


class Cleared(Answer):
    """So many queued deliveries were ended."""

    success: bool
    cleared: int


class Retried(Answer):
    """So many dead deliveries queue anew; `skipped` ones were no longer dead."""

    success: bool
    retried: int
    skipped: int


class Discarded(Answer):
    """So many dead deliveries are off the list; `skipped` ones were so before."""

    success: bool
    discarded: int
    skipped: int


class PreviewText(Answer):
    text: str
    characters: int


class Preview(Answer):
    """How a template looks; `version` is null for a text that is not published."""

    name: str
    version: int | None = None
    whatsapp: PreviewText


Day = date


class RunLine(Answer):
    """A part of a run, a stage of dunning say; `skipped` counts by reason."""

    name: str
    found: int
    dispatched: int
    skipped: dict[str, int] = Field(default_factory=dict)


class JobRun(Answer):
    """`status` is `requested running done failed missed`; `trigger` is `schedule` or `person`; `date` is the local day
    it stands for. Only a run that is asked for by its identity has its `lines`.
    """

    id: str
    job: str
    status: str
    trigger: str | None = None
    requested_by: str | None = None
    due_at: datetime | None = None
    date: Day | None = None
    dry_run: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    found: int = 0
    dispatched: int = 0
    skipped: dict[str, int] = Field(default_factory=dict)
    lines: list[RunLine] = Field(default_factory=list)
    errors: list[str] = Field(default_factory=list)


class Job(Answer):
    """`schedule` is a cron expression in `timezone`; null where only a person starts it. `overdue`: its time has
    passed and no scheduler took notice.
    """

    name: str
    schedule: str | None = None
    timezone: str | None = None
    next_run: datetime | None = None
    overdue: bool = False
    last_run: JobRun | None = None


class Erasure(Answer):
    """`status` is `requested running done`, `named` whom it is about, masked; `counts` is complete when it is done, and
    `waits_for` says what is still under way.
    """

    id: str
    by: str
    named: str
    dry_run: bool = False
    status: str
    waits_for: str | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    requested_at: datetime
    finished_at: datetime | None = None


class ErasureRequested(Erasure):
    """`erasure_id` tells how far it is."""

    success: bool
    erasure_id: str


class RunRequested(Answer):
    """A run was asked for; `run_id` tells how it goes."""

    success: bool
    run_id: str
