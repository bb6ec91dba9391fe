"""The closed sets every service speaks in."""

from collections.abc import Sequence
from enum import StrEnum


class Channel(StrEnum):
    WHATSAPP = "whatsapp"
    EMAIL = "email"


MAIL_PROVIDER = "email"
"""The one provider of the channel e-mail: the operator's mail server, behind gateway-email."""


BY_WHATSAPP = (Channel.WHATSAPP,)
"""How everything goes that says nothing else: also what was stored before there were channels."""


def providers_of(channel: Channel, whatsapp: Sequence[str]) -> Sequence[str]:
    """Those that carry a channel, in their order; `whatsapp` are the route's."""
    return (MAIL_PROVIDER,) if channel is Channel.EMAIL else whatsapp


class Role(StrEnum):
    """What a person at the provider does; tokens and staff rows speak of the same six."""

    ADMIN = "admin"
    MANAGER = "manager"
    SUPERVISOR = "supervisor"
    NOC = "noc"
    CS = "cs"
    TECHNICIAN = "technician"


class NotificationType(StrEnum):
    TICKET_ASSIGNMENT = "ticket_assignment"
    TICKET_STATUS_UPDATE = "ticket_status_update"
    SLA_WARNING = "sla_warning"
    PAYMENT_REMINDER = "payment_reminder"
    INSTALLATION_SCHEDULE = "installation_schedule"
    MAINTENANCE = "maintenance"
    REGISTRATION_CONFIRMATION = "registration_confirmation"
    DAILY_SUMMARY = "daily_summary"
    EMERGENCY_ALERT = "emergency_alert"
    WELCOME = "welcome"
    UPGRADE_OFFER = "upgrade_offer"
    SATISFACTION_SURVEY = "satisfaction_survey"
    TECHNICIAN_PERFORMANCE = "technician_performance"
    PROMOTION = "promotion"
    PAYMENT_OVERDUE = "payment_overdue"
    PAYMENT_LINK = "payment_link"
    PAYMENT_RECEIVED = "payment_received"
    ACCOUNT_ACTIVATED = "account_activated"
    INCIDENT_REPORT = "incident_report"
    WEEKLY_REFLECTION = "weekly_reflection"
    LEARNING_LOG = "learning_log"
    SYSTEM_ALERT = "system_alert"
    QUOTA_ALERT = "quota_alert"
    OTP = "otp"
    CUSTOM = "custom"


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
RESTORED = "the database was restored from a backup, and it may have been sent since that was made"
"""The reason of whatever a backup showed as not over; `kabar restored` holds it for a person."""
ERASED = "ERASED"
"""The code of whatever is not sent because its recipient is erased."""
OPTED_OUT = "SUPPRESSED"
"""The code of whatever is not sent because its recipient is suppressed."""
NO_ADDRESS = "NO_ADDRESS"
"""The code of what is not sent by one channel because the person has no address for it, and gets it by another."""
CHANNEL_OFF = "CHANNEL_OFF"
"""The code of what is not sent because its channel is not set up."""


class SuppressionReason(StrEnum):
    """Why nobody may contact a recipient: they asked for it, no message can arrive, or a person decided so."""

    OPT_OUT = "opt_out"
    INVALID_NUMBER = "invalid_number"
    BLOCKED = "blocked"


class ErasureStatus(StrEnum):
    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"


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


class RunTrigger(StrEnum):
    SCHEDULE = "schedule"
    PERSON = "person"


class RunStatus(StrEnum):
    """Of a job's run. The last three are ends: `missed` was not run, as it was too old before anybody could."""

    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    MISSED = "missed"


class AlertKind(StrEnum):
    """What an alert is about."""

    DEVICE = "device"
    CIRCUIT = "circuit"
    QUOTA = "quota"
    JOB = "job"
    DEAD_DELIVERIES = "dead_deliveries"
    PARKED_ENVELOPES = "parked_envelopes"


class AlertStatus(StrEnum):
    ACTIVE = "active"
    CLEARED = "cleared"


class AlertNews(StrEnum):
    """What people are told of an alert, each once."""

    RAISED = "raised"
    CLEARED = "cleared"
