"""What Kabar tells on the bus. New fields may come; unknown ones are ignored."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """`event_id` is the same however often it is told: whoever has seen it may leave it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_id: str
    occurred_at: datetime


class DeliveryChanged(Event):
    """A delivery reached a status (`delivery.<status>`). Events may overtake: the highest `version` holds."""

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


class NotificationChanged(Event):
    """A notification was planned or cancelled (`notification.<status>`); `deliveries` counts by status."""

    notification_id: str
    type: str
    recipients: int
    deliveries: dict[str, int]


class MessageReceived(Event):
    """Somebody wrote to one of our senders (`message.received`)."""

    provider: str
    sender: str
    message_from: str
    group: str | None = None
    text: str


FAMILIES: dict[str, type[Event]] = {
    "delivery": DeliveryChanged,
    "notification": NotificationChanged,
    "message": MessageReceived,
}


def decode(routing_key: str, body: bytes) -> Event:
    """Raises `ValueError` for what is none of these."""
    family = FAMILIES.get(routing_key.partition(".")[0])
    if family is None:
        raise ValueError(f"no event is known under {routing_key!r}")
    return family.model_validate_json(body)
