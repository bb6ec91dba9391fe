"""Where a portal wants to be told, of what, and how often a call is tried."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

RETRY_SECONDS = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0)
"""After the first call, the second, … that failed; after the last nothing is tried any more."""
JITTER = 0.2
PATIENCE = timedelta(days=5)
"""An endpoint that takes nothing for so long is disabled."""
FAILURES_APART = timedelta(hours=13)
"""Longer than the longest wait between two calls of a message: failures further apart are not one and the same."""
ROTATION = timedelta(hours=24)
"""How long calls are signed with the old secret, too."""
MOST_SECRETS = 5
"""A call is signed with no more, however often they are rotated in a day."""
TEST_EVENT = "webhook.test"


class MessageStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True)
class Secret:
    """`expires_at` is set once another one has taken its place."""

    value: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Alert:
    """What people are to be told of an endpoint that was disabled `at`; whoever does has it until `due`."""

    reason: str
    at: datetime
    due: datetime


@dataclass(frozen=True)
class Endpoint:
    """`events` are names like `delivery.sent`, or families like `delivery.*`; nothing was taken `failing_since`."""

    id: str
    url: str
    events: tuple[str, ...]
    description: str
    secrets: tuple[Secret, ...]
    created_by: str
    created_at: datetime
    enabled: bool = True
    disabled_reason: str | None = None
    failing_since: datetime | None = None
    last_failure_at: datetime | None = None
    alert: Alert | None = None

    def failing_at(self, now: datetime) -> datetime:
        """Since when it has been failing, when a call of it fails now; nobody calls one with nothing to tell."""
        if self.failing_since is None or self.last_failure_at is None or now - self.last_failure_at > FAILURES_APART:
            return now
        return self.failing_since

    def wants(self, event: str) -> bool:
        return self.enabled and any(_covers(pattern, event) for pattern in self.events)

    def keys(self, now: datetime) -> list[str]:
        """The secrets a call is signed with now."""
        return [one.value for one in self.secrets if one.expires_at is None or one.expires_at > now]


@dataclass(frozen=True)
class Message:
    """One event, of a trace if it has a `traceparent`, for one endpoint. `calls` counts those of the present round of
    retries.
    """

    id: str
    endpoint_id: str
    event_id: str
    event: str
    body: str
    status: MessageStatus
    calls: int
    created_at: datetime
    wake_at: datetime | None = None
    called_at: datetime | None = None
    http_status: int | None = None
    error: str | None = None
    traceparent: str | None = None


def unknown_events(events: Iterable[str], known: Sequence[str]) -> list[str]:
    """Those that no event is told under."""
    return [pattern for pattern in events if not any(_covers(pattern, event) for event in known)]


def retry_after(calls: int, draw: float | None = None) -> timedelta | None:
    """When to call again after so many failed; `None` to give up. `draw` (0 to 1) spreads those that failed at once."""
    if calls > len(RETRY_SECONDS):
        return None
    spread = random.random() if draw is None else draw  # noqa: S311 - only spreads load
    return timedelta(seconds=RETRY_SECONDS[calls - 1] * (1 + JITTER * spread))


def _covers(pattern: str, event: str) -> bool:
    return pattern in {"*", event} or (pattern.endswith(".*") and event.startswith(pattern[:-1]))
