"""The shapes of the documents more than one service reads or writes.

`deliveries` is the heart: one document is the delivery, its outbox and its log. Every change of one is a single
atomic write that also increments `revision`; who decides on a document it has read writes it back under the revision
it read. While a delivery waits for anything it has `wake_at`, the moment somebody must look at it again:

| status | what it waits for | `wake_at` |
| --- | --- | --- |
| scheduled | its time, or its hours | `send_at`; when they begin |
| queued, `lane` set | a sender's free slot | `expires_at`; 30 s to 10 min when the lane is shorter than the route |
| queued, no `lane` | a backoff, a cap, a limit | when to line up again |
| sending, attempt requested | the gateway to take it | the attempt's `deadline` |
| sending, attempt started | the provider's answer | the latest an answer can come |
| sending, no attempt | proof of an unknown outcome | when the policy decides |

Ends have neither `wake_at` nor `lane`.
"""

from datetime import datetime
from typing import Any, NotRequired, TypedDict


class TimelineEntry(TypedDict):
    """`revision` is there where others are told of it: the one its write made, the `version` of what is told."""

    at: datetime
    status: str
    cause: str
    revision: NotRequired[int]


class CurrentAttempt(TypedDict):
    """The attempt under way, under `attempt`: claimed by a dispatcher, started by a gateway's compare-and-set.

    A gateway starts what it was asked to by one update: `{"_id": {"$in": […]}, "attempt.claim": claim,
    "attempt.state": "requested"}` → `attempt.state = "started"`, `attempt.started_by`, `attempt.started_at`, a new
    `wake_at`, `revision` + 1. `claim` is the same for all attempts of one envelope.
    """

    number: int
    claim: str
    provider: str
    sender: str
    state: str
    requested_at: datetime
    deadline: datetime
    started_by: NotRequired[str]
    started_at: NotRequired[datetime]


class PastAttempt(TypedDict):
    """An attempt that ended, in the list `attempts`. `state_id` is the other name a provider may report it by;
    `traceparent` (W3C trace context) the span of its call, where that was recorded.
    """

    number: int
    provider: str
    sender: str
    outcome: str
    code: str | None
    error: str | None
    provider_message_id: str | None
    state_id: NotRequired[str]
    traceparent: NotRequired[str]
    started_at: datetime | None
    finished_at: datetime


class DeliveryDocument(TypedDict):
    """`position` is its place in its notification (first in, first out within one moment); `round_from` the number
    of attempts made when the present round through the route's providers began; `dead_at` is since when it waits for
    a person, and gone once it does not: retried, taken off the list (`discarded_at`) or emptied.
    `called_off` (and its code) says why it is not to go on, whatever is still told about it; `retried_at` that a person
    wanted it after all, so that only a person cancels it again.
    `hours`: outside of them it waits as `scheduled`. `suppressible`: it is not sent to a recipient with a suppression.
    `invoice_id`: it asks for that invoice's payment, and is not sent once there is nothing left to pay.
    `proof_at`: while it waits for proof, when its provider is asked for some. `subject_line`: of an e-mail, which has
    its text in `message`; HTML is made of that when it is sent. `announce_at` is there while a change of its status may
    not have been told to others; after it a sweeper tells it, and leaves its mark in `announced_by` while it does.
    `contents_removed_at`: since then nothing in it names anybody or can be sent (`common.mongo.personal`); `removed_by`
    is the erasure that asked for it. `traceparent` is its notification's.
    """

    _id: str
    notification_id: str
    type: str
    channel: str
    recipient: str
    message: str
    subject_line: NotRequired[str]
    template: str | None
    priority: str
    rank: int
    status: str
    route: list[str]
    lane: NotRequired[str]
    queued_at: datetime
    position: int
    wake_at: NotRequired[datetime]
    expires_at: datetime
    validity_seconds: float
    send_at: datetime | None
    retries: int
    on_unknown: str
    unknown_wait_seconds: float
    direct: bool
    failover: bool
    possible_duplicate: bool
    reason: str | None
    code: str | None
    attempt: CurrentAttempt | None
    attempts_made: int
    round_from: int
    attempts: list[PastAttempt]
    timeline: list[TimelineEntry]
    accepted_at: datetime
    created_at: datetime
    sent_at: datetime | None
    sent_by: NotRequired[str | None]
    called_off: NotRequired[str]
    called_off_code: NotRequired[str | None]
    retried_at: NotRequired[datetime]
    discarded_at: NotRequired[datetime]
    dead_at: NotRequired[datetime]
    hours: NotRequired["Hours"]
    suppressible: NotRequired[bool]
    invoice_id: NotRequired[str]
    delivered_at: NotRequired[datetime]
    read_at: NotRequired[datetime]
    proof_at: NotRequired[datetime]
    announce_at: NotRequired[datetime]
    announced_by: NotRequired[str]
    contents_removed_at: NotRequired[datetime]
    removed_by: NotRequired[str]
    traceparent: NotRequired[str]
    revision: int


class Hours(TypedDict):
    """When a message may go out: from `begins` until `ends`, both `HH:MM` in the operators' time zone; past midnight
    when `ends` is the earlier one.
    """

    begins: str
    ends: str


class AudienceMember(TypedDict):
    """One delivery of a notification: its recipient, normalised, and by which `channel` (WhatsApp when it is absent).

    A person who is told by two channels is two members. `message`/`data` only where an item of a bulk call has its own.
    `unreachable`: why this one has no address; its delivery ends at once, saying so, and `to` only tells it apart.
    """

    to: str
    channel: NotRequired[str]
    unreachable: NotRequired[str]
    message: NotRequired[str]
    data: NotRequired[dict[str, object]]


class AudienceQuery(TypedDict):
    """An audience found in the directory while planning, in the order of the rows' `_id`s: every active customer, those
    of one area, or those of a list of ids (which then stands in `audience_pages`, as `{"to": <id>}`).

    `after` is the last row planned, so that planning goes on where it stopped; `complete`, that all of them are: rows
    that come later are not looked for any more. `planned_pages` counts the pages of either kind.
    """

    rows: str
    area: NotRequired[str]
    listed: NotRequired[bool]
    after: NotRequired[str]
    complete: NotRequired[bool]


class Planning(TypedDict):
    """Who plans a large notification, and until when nobody else may."""

    lease: str
    until: datetime


class NotificationDocument(TypedDict):
    """`wake_at`: when a sweeper plans what nobody planned, or ends what was cancelled; gone once that is done, as is
    `planning`.

    `recipients` counts deliveries, one for each recipient and channel; `people`, where there are several channels, whom
    they are for. Who is found while planning is told by each of the `channels`. `providers` are WhatsApp's. With
    `audience_query`, `recipients` is a count made on acceptance until it is planned, and exact from then on.
    `template` is the version every delivery of it is rendered with. `subject` and `stage` say what it is about (a
    ticket, an invoice; a reminder's stage): with `dedupe_seconds` nobody is told the same twice within that time.

    `restored_at`: a backup it stands in was restored before it was planned, so what is planned of it may have been
    sent already, and is held for a person.

    `untold`: statuses that others are still to be told of, from `announce_at` on. `contents_removed_at`: since then
    nothing in it names anybody (`common.mongo.personal`). `traceparent`: what accepted it, in W3C trace context; all
    that becomes of it is of that trace.

    The audience stands in `audience` when it is small, otherwise in `pages` documents of `audience_pages`
    (`_id` = `<notification>:<page number from 0>`), inserted before this one.
    """

    _id: str
    type: str
    channels: list[str]
    priority: str
    message: str | None
    data: dict[str, object] | None
    audience: list[AudienceMember]
    pages: int
    planned_pages: int
    recipients: int
    people: NotRequired[int]
    rejected: NotRequired[int]
    providers: list[str]
    direct: bool
    on_unknown: str
    unknown_wait_seconds: float
    send_at: datetime | None
    expires_at: datetime
    validity_seconds: float
    status: str
    wake_at: NotRequired[datetime]
    planning: NotRequired[Planning]
    estimated_finish: datetime | None
    template: NotRequired[str]
    audience_query: NotRequired[AudienceQuery]
    subject: NotRequired[str]
    stage: NotRequired[str]
    dedupe_seconds: NotRequired[float]
    hours: NotRequired[Hours]
    suppressible: NotRequired[bool]
    restored_at: NotRequired[datetime]
    created_by: str
    created_at: datetime
    untold: NotRequired[list[str]]
    announce_at: NotRequired[datetime]
    announced_by: NotRequired[str]
    contents_removed_at: NotRequired[datetime]
    traceparent: NotRequired[str]


class AudiencePage(TypedDict):
    """Kept for 30 days from `created_at` on, when its notification was accepted."""

    _id: str
    notification_id: str
    members: list[AudienceMember]
    created_at: datetime


class TemplateDocument(TypedDict):
    """One version of a template, never changed; `_id` is `<name>:<version>`, the highest version is used.

    `type` is its name: a type's key, or what an operator calls a template of his own, for `custom`. `origin`: `builtin`
    (comes with Kabar) or `person`.
    """

    _id: str
    type: str
    version: int
    whatsapp: str
    email_subject: str | None
    email_text: str | None
    origin: str
    created_by: str
    created_at: datetime


class RouteDocument(TypedDict, total=False):
    """What an operator changed of a type's route (`_id` is the type); what is left out is the type's default."""

    _id: str
    priority: str
    channels: list[str]
    providers: list[str]
    validity_seconds: float
    on_unknown: str
    unknown_wait_seconds: float
    hours: Hours | None
    dedupe_seconds: float
    suppressible: bool
    enabled: bool
    revision: int
    changed_by: str
    changed_at: datetime


class SuppressionDocument(TypedDict):
    """A recipient nobody may contact; `_id` is the recipient. `reason`: `opt_out`, `invalid_number`, `blocked`.

    Lists are in the order of `listed_as`, by which people speak of it and which tells nobody the number; the store
    makes it.
    """

    _id: str
    reason: str
    note: str | None
    created_by: str
    created_at: datetime
    listed_as: NotRequired[str]


class ErasedRow(TypedDict):
    """A row of the directory that is forgotten: what was told of it until a moment, microseconds since 1970."""

    kind: str
    id: str
    until: int


class ErasedPerson(TypedDict):
    """What somebody was known by when the erasure began: rows, recipients, and subjects of notifications."""

    rows: list[ErasedRow]
    recipients: list[str]
    subjects: list[str]


class ErasureDocument(TypedDict):
    """Everything about somebody is to go, or with `dry_run` to be counted. `by` says what they were named by (`phone`,
    `email`, `customer_id`), `named` with what, masked, and `wanted` in full: it goes when the erasure is done, and so
    does `person`, which is found out first.

    `requested` waits for a scheduler; `running` is gone on with by another one once `wake_at` has passed; whoever has
    it leaves its `claim`. `waits_for` says what the rest of it waits for. `done` has neither.
    """

    _id: str
    by: str
    named: str
    wanted: NotRequired[str]
    person: NotRequired[ErasedPerson]
    dry_run: bool
    status: str
    waits_for: str | None
    counts: dict[str, int]
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    wake_at: NotRequired[datetime]
    claim: NotRequired[str]


class GroupDocument(TypedDict):
    """A WhatsApp group. `group_ids` is what each provider calls it, `known_as` all of these once, for finding it by any
    of them. An inactive one is in no audience.
    """

    _id: str
    name: str
    purpose: str
    group_ids: dict[str, str]
    known_as: list[str]
    active: bool
    created_by: str
    created_at: datetime


class Circuit(TypedDict):
    """Why and how long a sender is out: `reason` in its provider's words, `failure` in ours. `recent` holds the last
    20 calls: `{"at", "ok"}`. `back_at`: when it last came back, by a call or its provider's word.
    """

    state: str
    reason: str | None
    failure: NotRequired[str | None]
    opened_at: datetime | None
    retry_at: datetime | None
    back_at: NotRequired[datetime]
    openings: int
    failures_in_row: int
    recent: list[dict[str, object]]
    revision: int


class DeviceDocument(TypedDict, total=False):
    """What a sender's provider said of its device: whether it is connected, by its own word or by its answer
    (`connected`, as of `connected_at`), and until when it is paid for. `asked_at`: when it was last asked,
    `answered_at` when that was over, without an answer where `error` says why.
    """

    connected: bool
    connected_at: datetime
    expires_on: str | None
    asked_at: datetime
    answered_at: datetime
    error: str | None


class SenderDocument(TypedDict):
    """`_id` is `<provider>-<n>`. Registered and kept alive by its gateway (`gateway_seen_at`, server's time, every
    second), paused by people, taken out and brought back by the dispatcher (`circuit`), paced by the gate (`gate`).

    `quota_total`: what was left after the last top-up; absent until one was seen.
    """

    _id: str
    provider: str
    max_text_chars: int
    gateway_seen_at: datetime
    paused: NotRequired[bool]
    paused_by: NotRequired[str]
    circuit: NotRequired[Circuit]
    device: NotRequired[DeviceDocument]
    quota_remaining: NotRequired[int]
    quota_total: NotRequired[int]
    quota_at: NotRequired[datetime]
    gate: NotRequired[dict[str, object]]


class JobDocument(TypedDict):
    """A job as the schedulers know it; `_id` is its name. `schedule` and `next_run` are `None` where it runs when a
    person asks for it only. Firings are looked for from `since` on: when the schedule became what it is. `seen_at`:
    when a scheduler last said that there is such a job.
    """

    _id: str
    schedule: str | None
    timezone: str | None
    next_run: datetime | None
    oldest_seconds: float
    longest_seconds: float
    since: datetime
    seen_at: NotRequired[datetime]


class JobLine(TypedDict):
    """A part of a run that is counted on its own. `skipped` counts by reason."""

    name: str
    found: int
    dispatched: int
    skipped: dict[str, int]


class JobRunDocument(TypedDict):
    """A run of a job. `_id` is derived from the job and `due_at` where a schedule asked for it, random where a person
    did (`due_at` is then when). `day`, like `2025-11-15`, is the local date it stands for.

    `requested` waits for a scheduler; `running` is run anew by another one once `lease_until` has passed (`claims`
    counts), unless it is too old by then; `done`, `failed` and `missed` are ends. `claim` tells one try from another.
    `traceparent`: what asked for it.
    """

    _id: str
    job: str
    due_at: datetime
    day: str
    trigger: str
    requested_by: str | None
    dry_run: bool
    status: str
    claimed_by: str | None
    claim: str | None
    claims: int
    lease_until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    found: int
    dispatched: int
    skipped: dict[str, int]
    lines: list[JobLine]
    errors: list[str]
    traceparent: NotRequired[str]


class JobRequestDocument(TypedDict):
    """A notification a job asked for; `_id` is what it is not to ask for twice. `asked_by` names the firing, `asked_at`
    is the moment it counts as asked for.

    Until RabbitMQ has the `request` (`NotificationRequested` as JSON) there is `wake_at`, when it is handed over (once
    more), by whom `taken_by` says, and in which trace (`traceparent`).
    """

    _id: str
    asked_by: str
    asked_at: datetime
    forget_at: datetime
    request: NotRequired[str]
    wake_at: NotRequired[datetime]
    taken_by: NotRequired[str]
    traceparent: NotRequired[str]


class AlertDocument(TypedDict):
    """Something that is wrong, from when it was noticed until it is over; of each `cause` (`device:fonnte-1`) one is
    active at most. `about` is its sender or job, `summary` tells it to operators, `facts` are what messages tell.

    `right_since`: since when nothing is wrong any more, which has to last before it is cleared; longer where it has
    `returned`. `untold`: what people are still to be told, in order; `telling`: what is asked for to tell the first of
    it, the same however often. `told`: when they were told what.
    """

    _id: str
    cause: str
    kind: str
    about: str | None
    status: str
    summary: str
    facts: dict[str, Any]
    returned: bool
    raised_at: datetime
    right_since: datetime | None
    cleared_at: datetime | None
    untold: NotRequired[list[str]]
    telling: NotRequired[dict[str, Any]]
    told: dict[str, datetime]
    revision: int


GATEWAY_SILENT_SECONDS = 5.0
"""A sender whose gateway has not been seen for so long takes part in nothing."""
GATEWAY_FORGOTTEN_SECONDS = 86_400.0
"""A sender whose gateway was not seen for so long is none any more."""
DEVICE_ASKED_EVERY_SECONDS = 10.0
"""A provider is asked no more often how a device is."""
INLINE_AUDIENCE = 1_000
"""Recipients a notification carries itself; more go to pages of this size."""
