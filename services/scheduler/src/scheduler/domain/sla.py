"""Which open tickets somebody is warned of, and how often."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from common.contracts.service_levels import deadline_of, warned_from

AT_MOST_EVERY = timedelta(minutes=30)
"""One warning per ticket."""
LATE = timedelta(days=1)
"""A ticket that is later than this is no news any more: it is warned of once a day. Warned of every half hour, twenty
forgotten ones would use up all a sender may send in a day.
"""
ON_TIME = timedelta(minutes=1)
MOST_MINUTES = 100_000


def is_warned_of(ticket: Mapping[str, Any], now: datetime) -> bool:
    """Whether its deadline is near or over; a moment that is exactly the beginning counts."""
    begins = warned_from(ticket)
    return begins is not None and now >= begins


def minutes_left(ticket: Mapping[str, Any], now: datetime) -> int:
    """Until its deadline, negative after it, rounded towards it; as far as a warning can say."""
    deadline = deadline_of(ticket)
    minutes = 0 if deadline is None else int((deadline - now).total_seconds() / 60)
    return max(-MOST_MINUTES, min(MOST_MINUTES, minutes))


def every(ticket: Mapping[str, Any], now: datetime) -> timedelta:
    """How long after a warning the next one comes at the earliest."""
    deadline = deadline_of(ticket)
    return LATE if deadline is not None and now - deadline > LATE else AT_MOST_EVERY


def warned_at(due_at: datetime, now: datetime) -> datetime:
    """When the warnings of a run count as given: a run in time at the moment it was due, so that one that began some
    milliseconds earlier than the one before is not held to be early; a late one when it runs.
    """
    return due_at if timedelta() <= now - due_at < ON_TIME else now
