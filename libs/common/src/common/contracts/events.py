"""Every event on the bus. An envelope carries many of what nothing paces, one of what is paced."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from common.contracts.event import Event
from common.contracts.vocabulary import AttemptState, FailureClass


class NotificationAccepted(Event):
    """Notifications are stored and wait to be planned. It only hurries: a sweeper finds what a lost one left."""

    routing_key: ClassVar[str] = "notification.accepted"

    notification_ids: list[str]


class AttemptRequest(BaseModel):
    """One call to make. `slot` is the moment it was granted; `None` when nothing paces the sender.

    Of an e-mail: its `subject`, and `unsubscribe`, whether its recipient may ask for no more of its kind.
    `traceparent`: what the call belongs to, as an envelope carries attempts of many traces.
    """

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    number: int
    recipient: str
    text: str
    subject: str | None = None
    unsubscribe: bool = False
    slot: datetime | None = None
    traceparent: str | None = None

    @property
    def reference(self) -> str:
        """Our name for the attempt at a provider that takes one."""
        return f"{self.delivery_id}.{self.number}"


class AttemptsRequested(Event):
    """Attempts claimed together for one sender. Past `deadline` none may be started any more.

    `gap` is the sender's pacing in seconds: a call that would come late moves the gate by what it is late.
    """

    routing_key: ClassVar[str] = "attempt.requested"

    claim: str
    provider: str
    sender: str
    deadline: datetime
    gap: float = 0.0
    attempts: list[AttemptRequest]

    @property
    def topic(self) -> str:
        return attempts_address(self.provider)


def attempts_address(provider: str) -> str:
    """The routing key a provider's gateway listens to."""
    return f"{AttemptsRequested.routing_key}.{provider}"


class AttemptOutcome(BaseModel):
    """What came of one attempt.

    `state` is `succeeded`, `failed` (not accepted, with its class), `unknown` (nobody can tell), or `missed` (never
    called: the deadline or the slot had passed). `error` is what the provider said, cleaned of numbers and secrets.
    `traceparent`: the span of the call.
    """

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    number: int
    claim: str
    sender: str
    state: AttemptState
    failure: FailureClass | None = None
    error: str | None = None
    provider_message_id: str | None = None
    quota_remaining: int | None = None
    started_at: datetime | None = None
    finished_at: datetime
    traceparent: str | None = None


class AttemptsFinished(Event):
    """Outcomes of one provider's attempts, in the order they came in."""

    routing_key: ClassVar[str] = "attempt.finished"

    provider: str
    outcomes: list[AttemptOutcome]


class Webhook(BaseModel):
    """A request of a provider as it came; `body` is its text, `traceparent` the span in which it came."""

    model_config = ConfigDict(frozen=True)

    content_type: str
    body: str
    received_at: datetime
    traceparent: str | None = None


class WebhooksReceived(Event):
    """What a provider posted, raw and in order: only its gateway can read it."""

    routing_key: ClassVar[str] = "webhook.received"

    provider: str
    webhooks: list[Webhook]

    @property
    def topic(self) -> str:
        return webhooks_address(self.provider)


def webhooks_address(provider: str) -> str:
    """The routing key a provider's webhooks come under."""
    return f"{WebhooksReceived.routing_key}.{provider}"


class DoubtedAttempt(BaseModel):
    """An attempt nobody can tell the outcome of, by every name it may be known by at its provider.

    `traceparent`: what asking for it belongs to.
    """

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    number: int
    sender: str
    provider_message_id: str | None = None
    traceparent: str | None = None

    @property
    def reference(self) -> str:
        return f"{self.delivery_id}.{self.number}"


class EnquiriesRequested(Event):
    """What a provider is to be asked before the deadline; it is answered with reports, or not at all.

    `last`: what cannot be proved now is given up, so a message that the provider still holds back is taken back.
    `groups_of`: senders whose WhatsApp groups are to be looked up and stored. `devices_of`: senders whose device and
    quota are to be looked at, which changes what is stored of them.
    """

    routing_key: ClassVar[str] = "enquiry.requested"

    provider: str
    deadline: datetime
    attempts: list[DoubtedAttempt] = Field(default_factory=list)
    last: bool = False
    groups_of: list[str] = Field(default_factory=list)
    devices_of: list[str] = Field(default_factory=list)

    @property
    def topic(self) -> str:
        return enquiries_address(self.provider)


def enquiries_address(provider: str) -> str:
    """The routing key a provider's gateway is asked under."""
    return f"{EnquiriesRequested.routing_key}.{provider}"


class Reported(StrEnum):
    """What a provider says of a message it had taken; `not_sent` is that it gave it up without sending it."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    NOT_SENT = "not_sent"


class Report(BaseModel):
    """A provider's word about one message, found again by whichever of the three it names.

    `reference` is ours (`<delivery id>.<attempt number>`), `message_id` the provider's, `state_id` Fonnte's second one.
    `traceparent`: the span in which it was read.
    """

    model_config = ConfigDict(frozen=True)

    reported: Reported
    at: datetime
    reference: str | None = None
    message_id: str | None = None
    state_id: str | None = None
    failure: FailureClass | None = None
    error: str | None = None
    traceparent: str | None = None


class DeliveriesReported(Event):
    """Reports of one provider, in the order they came in; duplicates, reordering and strangers are harmless."""

    routing_key: ClassVar[str] = "delivery.reported"

    provider: str
    reports: list[Report]


class SenderReported(Event):
    """A provider says that a sender's device connected or disconnected, or that it does not let the sender in.

    `failure`: why it cannot send, where it is not the device. `checked`: the provider was asked, and what it answers
    may lag behind what sending meets.
    """

    routing_key: ClassVar[str] = "sender.reported"

    provider: str
    sender: str
    connected: bool
    reason: str | None = None
    at: datetime
    failure: FailureClass | None = None
    checked: bool = False


class MessageReceived(Event):
    """Somebody wrote to one of our senders. `message_from` is that person, also where it was written to a `group`."""

    routing_key: ClassVar[str] = "message.received"

    event_id: str
    occurred_at: datetime
    provider: str
    sender: str
    message_from: str
    group: str | None = None
    text: str


class DeliveryChanged(Event):
    """A delivery has reached a status. Later ones supersede earlier ones: compare `version`.

    `recipient` is masked. `event_id` is the same however often it is told.
    """

    event_id: str
    occurred_at: datetime
    version: int
    delivery_id: str
    notification_id: str
    type: str
    channel: str
    recipient: str
    status: str
    provider: str | None = None
    sender: str | None = None
    failover: bool = False
    possible_duplicate: bool = False
    reason: str | None = None
    code: str | None = None


class DeliverySent(DeliveryChanged):
    routing_key: ClassVar[str] = "delivery.sent"


class DeliveryDelivered(DeliveryChanged):
    routing_key: ClassVar[str] = "delivery.delivered"


class DeliveryRead(DeliveryChanged):
    routing_key: ClassVar[str] = "delivery.read"


class DeliveryFailed(DeliveryChanged):
    routing_key: ClassVar[str] = "delivery.failed"


class DeliveryCancelled(DeliveryChanged):
    routing_key: ClassVar[str] = "delivery.cancelled"


class DeliveryExpired(DeliveryChanged):
    routing_key: ClassVar[str] = "delivery.expired"


class DeliverySuppressed(DeliveryChanged):
    routing_key: ClassVar[str] = "delivery.suppressed"


class DeliveryUnknown(DeliveryChanged):
    routing_key: ClassVar[str] = "delivery.unknown"


class NotificationChanged(Event):
    """A notification has reached a status; `deliveries` counts them by status at that moment."""

    event_id: str
    occurred_at: datetime
    notification_id: str
    type: str
    recipients: int
    deliveries: dict[str, int]


class NotificationPlanned(NotificationChanged):
    routing_key: ClassVar[str] = "notification.planned"


class NotificationCancelled(NotificationChanged):
    routing_key: ClassVar[str] = "notification.cancelled"
