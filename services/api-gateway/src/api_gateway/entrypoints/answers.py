"""What clients are answered, field by field, as /openapi.json tells it; `views` and the routes make the answers.

A field with a default may be left out of an answer; of all the others a missing value is null.
"""

from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from api_gateway.domain.webhook_endpoint import MessageStatus
from common.catalogue.definitions import GroupPurpose
from common.contracts.vocabulary import (
    AttemptState,
    Channel,
    DeliveryStatus,
    ErasureStatus,
    NotificationStatus,
    NotificationType,
    Priority,
    SuppressionReason,
)

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    next_cursor: str | None = Field(description="Ask for the next page with it as `cursor`.")


class Done(BaseModel):
    success: bool


class Removed(Done):
    id: str


class Rejected(BaseModel):
    """A recipient of a list who is left out; `index` counts from 0, `value` is masked. Of a row of a file also its
    `line` and the column at fault.
    """

    index: int
    value: str
    code: str
    error: str
    line: int | None = None
    field: str | None = None


class Attempt(BaseModel):
    number: int
    provider: str
    sender: str
    outcome: AttemptState
    error: str | None
    code: str | None
    started_at: datetime | None
    finished_at: datetime | None
    provider_message_id: str | None


class TimelineEntry(BaseModel):
    at: datetime
    status: DeliveryStatus
    cause: str


class Delivery(BaseModel):
    id: str
    notification_id: str
    type: NotificationType
    channel: Channel
    template: str | None = Field(description="The version it was rendered with, like `welcome:3`.")
    recipient: str = Field(description="Masked.")
    status: DeliveryStatus
    priority: Priority
    failover: bool
    possible_duplicate: bool
    reason: str | None
    code: str | None
    route: list[str]
    retries: int
    attempts: list[Attempt]
    timeline: list[TimelineEntry]
    send_at: datetime | None
    queued_at: datetime
    expires_at: datetime
    created_at: datetime
    sent_at: datetime | None
    discarded_at: datetime | None
    contents_removed_at: datetime | None
    trace_id: str | None = Field(description="Of its notification.")


class DeliveryShown(Delivery):
    waiting_for: str | None


class DeliveryDone(Delivery, Done):
    pass


class Retried(Done):
    retried: int
    skipped: int


class Discarded(Done):
    discarded: int
    skipped: int


class Accepted(Done):
    """`totalSent` and `totalCustomers` when it may go to many. Of a direct send `status` and `delivery` say what became
    of it, and of one that failed `error` and `code`.
    """

    notification_id: str
    deliveries: int
    estimated_finish: datetime | None
    rejected: list[Rejected]
    warning: str | None = None
    total_sent: int | None = Field(None, serialization_alias="totalSent")
    total_customers: int | None = Field(None, serialization_alias="totalCustomers")
    status: str | None = None
    delivery: Delivery | None = None
    error: str | None = None
    code: str | None = None


class Notification(BaseModel):
    """`progress` counts its deliveries by status."""

    id: str
    type: NotificationType
    channels: list[Channel]
    status: NotificationStatus
    priority: Priority
    template: str | None
    subject: str | None
    recipients: int
    rejected: int
    planned: int
    not_yet_planned: int
    cancelled_before_planning: int
    sent: int
    failed: int
    waiting: int
    progress: dict[str, int]
    direct: bool
    send_at: datetime | None
    expires_at: datetime
    estimated_finish: datetime | None
    eta: datetime | None
    created_by: str
    created_at: datetime
    contents_removed_at: datetime | None
    trace_id: str | None = Field(description="Where traces are kept, it is found there under this.")


class NotificationCancelled(Notification, Done):
    cancelled: int


class SenderCircuit(BaseModel):
    state: str
    reason: str | None
    opened_at: datetime | None
    retry_at: datetime | None


class SenderQuota(BaseModel):
    """As the provider last told it. `total` is what there was after the last top-up, once one was seen."""

    remaining: int | None
    total: int | None
    at: datetime | None
    age_seconds: int | None


class SenderDevice(BaseModel):
    """Whether it is connected, as of `connected_at`: by its own word, a check or a refused message. `checked_at`: when
    the provider was last asked; `error`: why it did not say.
    """

    connected: bool | None
    connected_at: datetime | None
    age_seconds: int | None
    expires_on: date | None
    checked_at: datetime | None
    error: str | None


class SenderUsage(BaseModel):
    limit: int
    used: int
    reset_at: datetime | None


class Sender(BaseModel):
    """`usage` by window: `minute`, `hour`, `day`."""

    id: str
    provider: str
    status: str
    why: str | None
    circuit: SenderCircuit
    quota: SenderQuota
    device: SenderDevice
    usage: dict[str, SenderUsage]
    gap: float = Field(description="Seconds between two messages.")
    gateway_seen_at: datetime
    gateway_alive: bool


class SenderDone(Sender, Done):
    pass


class SenderChecked(Sender, Done):
    """`answered`: whether the provider has; otherwise what is shown was known before."""

    answered: bool


class Suppression(BaseModel):
    id: str
    recipient: str = Field(description="Masked.")
    reason: SuppressionReason
    note: str | None
    created_by: str
    created_at: datetime


class SuppressionLifted(Done):
    """It is named as it was asked for: by its `id`, or by the masked number."""

    id: str | None = None
    recipient: str | None = None


class SuppressionAdded(Suppression, Done):
    ended: int = Field(description="Deliveries that waited and are not sent any more.")


class Erasure(BaseModel):
    """`counts`: rows of the directory, deliveries (of them cancelled), notifications, parked envelopes; complete when
    it is `done`. `waits_for`: what is still under way.
    """

    id: str
    by: str = Field(description="phone, email or customer_id")
    named: str = Field(description="Masked, unless it is a customer's id.")
    dry_run: bool
    status: ErasureStatus
    waits_for: str | None
    counts: dict[str, int]
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ErasureRequested(Erasure, Done):
    erasure_id: str


class ApiKey(BaseModel):
    id: str
    name: str
    key: str = Field(description="Without its secret.")
    scopes: list[str]
    status: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class ApiKeyDone(ApiKey, Done):
    pass


class ApiKeyIssued(ApiKeyDone):
    key: str | None = Field(description="The whole key; null and a `warning` when the request is repeated.")  # type: ignore[assignment]  # only here it may be missing
    warning: str | None = None


class AuditEntry(BaseModel):
    id: str
    at: datetime
    actor: str
    role: str
    action: str
    targets: list[str]
    outcome: Literal["done", "refused", "unknown"]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str | None


class WebhookEndpoint(BaseModel):
    id: str
    url: str
    events: list[str]
    description: str
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    secrets: int = Field(description="How many secrets sign a call.")
    created_by: str
    created_at: datetime


class WebhookEndpointDone(WebhookEndpoint, Done):
    pass


class WebhookEndpointSecret(WebhookEndpointDone):
    secret: str | None = Field(description="Null and a `warning` when the request is repeated.")
    warning: str | None = None


class ProviderWebhooks(Done):
    paths: dict[str, str] | None = Field(
        description="By provider what follows the host in its webhook address; null when the request is repeated."
    )
    former_until: datetime = Field(description="Until then the old addresses are taken, too.")
    warning: str | None = None


class WebhookTested(Done):
    http_status: int | None
    error: str | None


class WebhookMessage(BaseModel):
    id: str
    event_id: str
    event: str
    status: MessageStatus
    calls: int
    http_status: int | None
    error: str | None
    created_at: datetime
    called_at: datetime | None
    next_call_at: datetime | None


class WebhookMessageDone(WebhookMessage, Done):
    pass


class Group(BaseModel):
    """`group_ids`: what each provider calls it, masked for whoever is no admin."""

    id: str
    name: str
    purpose: GroupPurpose
    group_ids: dict[str, str]
    active: bool
    created_by: str | None
    created_at: datetime | None


class GroupDone(Group, Done):
    pass


class GroupLookup(BaseModel):
    sender: str
    state: str
    found: int
    error: str | None


class GroupsAsked(Done):
    senders: list[GroupLookup]


class ParkedEnvelope(BaseModel):
    id: str
    status: str
    queue: str
    reason: str
    exchange: str
    routing_key: str
    body_bytes: int
    complete: bool
    parked_at: datetime
    replays: int
    replayed_at: datetime | None
    replayed_by: str | None
    discarded_at: datetime | None
    discarded_by: str | None
    earlier: list[dict[str, Any]] = Field(description="What became of it before it was parked once more.")


class ParkedEnvelopeShown(ParkedEnvelope):
    body: str


class ParkedEnvelopeDone(ParkedEnvelope, Done):
    pass


class NextMessage(BaseModel):
    id: str
    type: NotificationType
    recipient: str
    priority: Priority
    queued_at: datetime


class Queue(BaseModel):
    queue_length: int
    is_processing: bool
    failed_messages: int = Field(description="Failed and unknown ones that wait for a person.")
    estimated_time: int | None = Field(description="Seconds.")
    estimated_finish: datetime | None
    sending: int
    by_priority: dict[str, int]
    waiting_for_retry: int
    oldest_seconds: int | None
    next_messages: list[NextMessage]


class QueueCleared(Done):
    cleared: int


class Held(Done):
    deliveries: int = Field(description="Ended as unknown: they may have been sent since the backup was made.")
    notifications: int = Field(description="Not planned yet; what comes of them is held, too.")
    runs: int = Field(description="Runs of jobs that are not made up for.")
    requests: int = Field(description="What jobs had asked for and is not asked for again.")
    more: bool = Field(description="There are more deliveries: call it again.")


class QueueProcessed(Done):
    processed: int


class Conservation(BaseModel):
    """`difference` is 0: every accepted recipient is somewhere."""

    accepted: int
    deliveries: dict[str, int]
    not_yet_planned: int
    cancelled_before_planning: int
    difference: int


class StatisticsOfProvider(BaseModel):
    sent: int
    cost: float = Field(description="Rupiah.")


class StatisticsOfType(BaseModel):
    notification_type: str
    count: int


class Statistics(Done):
    """`summary` by outcome, `via_<provider>` among them."""

    since: datetime
    until: datetime
    summary: dict[str, float]
    details: list[StatisticsOfType]
    by_status: dict[str, int]
    by_channel: dict[str, int]
    by_provider: dict[str, StatisticsOfProvider]
