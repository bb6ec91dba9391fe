"""The closed sets every service speaks in."""

from enum import StrEnum


class Channel(StrEnum):
    WHATSAPP = "whatsapp"


class NotificationType(StrEnum):
    CUSTOM = "custom"
    OTP = "otp"


class Priority(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 goes first."""
        return _RANKS[self]


_RANKS = {Priority.CRITICAL: 0, Priority.HIGH: 1, Priority.NORMAL: 2, Priority.LOW: 3}


class OnUnknown(StrEnum):
    """What becomes of a delivery nobody can tell the outcome of, once waiting for proof brought none."""

    RESEND = "resend"
    HOLD = "hold"


class NotificationStatus(StrEnum):
    ACCEPTED = "accepted"
    PLANNED = "planned"
    CANCELLED = "cancelled"


class DeliveryStatus(StrEnum):
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown"


WAITING = frozenset({DeliveryStatus.SCHEDULED, DeliveryStatus.QUEUED, DeliveryStatus.SENDING})
"""Statuses that still have a deadline (`wake_at`); every other one is an end."""

UNTOLD = "the provider took the request and never told what became of it"
"""The reason of whatever ends unknown."""


class AttemptState(StrEnum):
    """An attempt is requested, started, and ends in exactly one of the others."""

    REQUESTED = "requested"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    MISSED = "missed"


class FailureClass(StrEnum):
    """Why a provider did not take a message; the dispatcher alone decides what follows."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    DISCONNECTED = "disconnected"
    QUOTA = "quota"
    AUTH = "auth"
    BUG = "bug"
    TRANSPORT = "transport"
    UNCLASSIFIED = "unclassified"


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
