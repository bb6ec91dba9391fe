"""Kabar for other services: a typed client of its HTTP API, a publisher and a subscriber for its bus."""

from kabar_client.answers import Accepted, Attempt, Delivery, Notification, Rejected, Suppression, TimelineEntry, Told
from kabar_client.bus import Publisher, Reject, Subscriber
from kabar_client.events import DeliveryChanged, Event, MessageReceived, NotificationChanged
from kabar_client.failures import (
    Conflicting,
    Forbidden,
    KabarError,
    Limited,
    Missing,
    NotTaken,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreachable,
    Unreadable,
)
from kabar_client.http import AsyncKabar, Kabar
from kabar_client.requests import Notify

__all__ = [
    "Accepted",
    "AsyncKabar",
    "Attempt",
    "Conflicting",
    "Delivery",
    "DeliveryChanged",
    "Event",
    "Forbidden",
    "Kabar",
    "KabarError",
    "Limited",
    "MessageReceived",
    "Missing",
    "NotTaken",
    "Notification",
    "NotificationChanged",
    "Notify",
    "Publisher",
    "Refused",
    "Reject",
    "Rejected",
    "Subscriber",
    "Suppression",
    "TimelineEntry",
    "Told",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "Unreadable",
]
