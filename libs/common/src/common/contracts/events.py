"""Every event on the bus. An envelope carries many of what nothing paces, one of what is paced."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from common.contracts.event import Event
from common.contracts.vocabulary import AttemptState, FailureClass


class NotificationAccepted(Event):
    """Notifications are stored and wait to be planned. It only hurries: a sweeper finds what a lost one left."""

    routing_key: ClassVar[str] = "notification.accepted"

    notification_ids: list[str]


class AttemptRequest(BaseModel):
    """One call to make. `slot` is the moment it was granted; `None` when nothing paces the sender."""

    model_config = ConfigDict(frozen=True)

    delivery_id: str
    number: int
    recipient: str
    text: str
    slot: datetime | None = None

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
    def address(self) -> str:
        return attempts_address(self.provider)


def attempts_address(provider: str) -> str:
    """The routing key a provider's gateway listens to."""
    return f"{AttemptsRequested.routing_key}.{provider}"


class AttemptOutcome(BaseModel):
    """What came of one attempt.

    `state` is `succeeded`, `failed` (not accepted, with its class), `unknown` (nobody can tell), or `missed` (never
    called: the deadline or the slot had passed). `error` is what the provider said, cleaned of numbers and secrets.
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


class AttemptsFinished(Event):
    """Outcomes of one provider's attempts, in the order they came in."""

    routing_key: ClassVar[str] = "attempt.finished"

    provider: str
    outcomes: list[AttemptOutcome]
