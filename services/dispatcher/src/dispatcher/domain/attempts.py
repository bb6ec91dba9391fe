"""What the attempts of a delivery say when they are looked at together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from common.contracts.documents import CurrentAttempt, DeliveryDocument, PastAttempt
from common.contracts.events import AttemptOutcome
from common.contracts.vocabulary import AttemptState, FailureClass

NO_RETRY = frozenset({FailureClass.BUG})
"""Another provider may still take it; the same one never will."""
COUNTED = frozenset({AttemptState.FAILED, AttemptState.UNKNOWN, AttemptState.REVOKED})
NEVER_CALLED = frozenset({AttemptState.MISSED, AttemptState.REVOKED})
MOST_MISSES = 3
"""So often in one round may a provider's gateway come too late, at no cost, before the next provider is asked."""
MOST_NEVER_CALLED = 20
"""Of the attempts no provider was called for, so many are kept: the last; the numbers tell how many there were."""
REACHED = frozenset({AttemptState.SUCCEEDED, AttemptState.UNKNOWN})
"""Outcomes after which the recipient has the message, or may have it."""


def tried(delivery: DeliveryDocument, past: PastAttempt | None = None) -> list[PastAttempt]:
    """The attempts of this round that count against their provider."""
    this_round = [a for a in _all(delivery, past) if a["number"] > delivery["round_from"]]
    misses = Counter(a["provider"] for a in this_round if a["outcome"] == AttemptState.MISSED)
    late = {provider for provider, count in misses.items() if count >= MOST_MISSES}
    return [
        a for a in this_round if a["outcome"] in COUNTED or (a["outcome"] in NEVER_CALLED and a["provider"] in late)
    ]


def remaining(delivery: DeliveryDocument, past: PastAttempt | None = None) -> list[str]:
    """The route without the providers that failed it in this round or will never take it."""
    done = {attempt["provider"] for attempt in tried(delivery, past)}
    return [provider for provider in willing(delivery, past) if provider not in done]


def willing(delivery: DeliveryDocument, past: PastAttempt | None = None) -> list[str]:
    """The route without the providers that will never take this delivery, however often they are asked.

    A person who lines it up again (`retried_at`) wants all of them asked once more. Its place in line is no sign of
    that: a night moves it too.
    """
    since = delivery.get("retried_at")
    refused = {
        attempt["provider"]
        for attempt in _all(delivery, past)
        if attempt["code"] in NO_RETRY and (since is None or attempt["finished_at"] >= since)
    }
    return [provider for provider in delivery["route"] if provider not in refused]


def success(delivery: DeliveryDocument) -> PastAttempt | None:
    """The past attempt that is known to have succeeded."""
    return next((a for a in delivery["attempts"] if a["outcome"] == AttemptState.SUCCEEDED), None)


def any_unknown(delivery: DeliveryDocument, past: PastAttempt | None = None) -> bool:
    return any(attempt["outcome"] == AttemptState.UNKNOWN for attempt in _all(delivery, past))


def times_reached(attempts: Iterable[PastAttempt]) -> int:
    """How often the recipient has the message at most, by the attempts that ended."""
    return sum(attempt["outcome"] in REACHED for attempt in attempts)


def with_past(attempts: Sequence[PastAttempt], past: PastAttempt) -> list[PastAttempt]:
    """The attempts and one more; the oldest of those that were never calls goes, so that the list stays short."""
    kept = [*attempts, past]
    never_called = [a["number"] for a in kept if a["outcome"] in NEVER_CALLED]
    too_many = set(never_called[:-MOST_NEVER_CALLED])
    return [a for a in kept if a["number"] not in too_many]


def with_word(delivery: DeliveryDocument, amended: PastAttempt) -> DeliveryDocument:
    """The delivery with one of its past attempts as it turned out."""
    attempts = [amended if a["number"] == amended["number"] else a for a in delivery["attempts"]]
    return {**delivery, "attempts": attempts}


def finished(attempt: CurrentAttempt, outcome: AttemptOutcome) -> PastAttempt:
    """The attempt under way, ended by its outcome."""
    past: PastAttempt = {
        "number": attempt["number"],
        "provider": attempt["provider"],
        "sender": attempt["sender"],
        "outcome": outcome.state,
        "code": outcome.failure,
        "error": outcome.error,
        "provider_message_id": outcome.provider_message_id,
        "started_at": outcome.started_at,
        "finished_at": outcome.finished_at,
    }
    if outcome.traceparent is not None:
        past["traceparent"] = outcome.traceparent
    return past


def given_up(attempt: CurrentAttempt, state: AttemptState, now: datetime, error: str) -> PastAttempt:
    """The attempt under way, ended by the dispatcher because no word came."""
    return {
        "number": attempt["number"],
        "provider": attempt["provider"],
        "sender": attempt["sender"],
        "outcome": state,
        "code": None,
        "error": error,
        "provider_message_id": None,
        "started_at": attempt.get("started_at"),
        "finished_at": now,
    }


def _all(delivery: DeliveryDocument, past: PastAttempt | None) -> list[PastAttempt]:
    return [*delivery["attempts"], *([past] if past else [])]
