"""When a provider is asked what became of an attempt, while its delivery waits for proof."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from common.contracts.documents import DeliveryDocument
from common.contracts.events import DoubtedAttempt
from common.contracts.vocabulary import AttemptState

FIRST_AFTER = timedelta(seconds=1)
EVERY = timedelta(seconds=10)
LAST_BEFORE = timedelta(seconds=4)
"""So long before the policy decides it is asked for the last time: asking and hearing takes about a second."""
ASKING = timedelta(seconds=2)
"""So long somebody may take to ask; then another one does, in time even for a last enquiry."""


def first_enquiry(now: datetime, wait: timedelta) -> datetime:
    return now + min(FIRST_AFTER, wait / 4)


def is_last(wake_at: datetime, now: datetime) -> bool:
    """Whether there will be no other enquiry before the policy decides."""
    return now >= wake_at - LAST_BEFORE


def next_enquiry(wake_at: datetime, now: datetime) -> datetime:
    """The moment of the next one; after the last one it is when the policy decides, and nobody asks."""
    return wake_at if is_last(wake_at, now) else min(now + EVERY, wake_at - LAST_BEFORE)


def claimed_until(wake_at: datetime, now: datetime) -> datetime:
    """Until when nobody else asks."""
    return min(now + ASKING, wake_at)


def doubted(delivery: DeliveryDocument) -> Iterable[tuple[str, DoubtedAttempt]]:
    """Its attempts nobody can tell the outcome of, each with its provider."""
    for attempt in delivery["attempts"]:
        if attempt["outcome"] == AttemptState.UNKNOWN:
            yield (
                attempt["provider"],
                DoubtedAttempt(
                    delivery_id=delivery["_id"],
                    number=attempt["number"],
                    sender=attempt["sender"],
                    provider_message_id=attempt["provider_message_id"],
                    traceparent=attempt.get("traceparent") or delivery.get("traceparent"),
                ),
            )
