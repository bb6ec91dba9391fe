"""A round: every provider of the route in its order, then a wait and the next round, until there is none left."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from common.contracts.documents import DeliveryDocument, PastAttempt
from common.contracts.vocabulary import AttemptState, DeliveryStatus
from dispatcher.domain.attempts import any_unknown, remaining, tried, willing
from dispatcher.domain.change import Change
from dispatcher.domain.lanes import lane
from dispatcher.domain.retries import RetryPlan

CANCELLED = "its notification was cancelled"
SILENT_GATEWAY_WAIT = timedelta(seconds=1)


@dataclass(frozen=True)
class Situation:
    """What a decision depends on besides the delivery: the time, the providers that can be used now, the plan."""

    now: datetime
    usable: Collection[str]
    plan: RetryPlan


def go_on(
    delivery: DeliveryDocument, past: PastAttempt | None, situation: Situation, cause: str, **fields: Any
) -> Change:
    """After an attempt that did not work: the next provider at once, or whatever follows the end of the round."""
    if situation.now >= delivery["expires_at"]:
        return expired(delivery, past)
    if not willing(delivery, past):
        return exhausted(delivery, past, cause, "REFUSED", **fields)
    left = remaining(delivery, past)
    if any(provider in situation.usable for provider in left):
        return _queued(delivery, left, cause, past, **fields)
    return _round_over(delivery, past, situation, cause, **fields)


def line_up(delivery: DeliveryDocument, now: datetime, *, cause: str, past: PastAttempt | None = None) -> Change:
    """Into the lane of the providers not tried in this round; `expired` when its time is over."""
    if now >= delivery["expires_at"]:
        return expired(delivery, past)
    providers = remaining(delivery, past) or willing(delivery, past) or delivery["route"]
    return _queued(delivery, providers, cause, past)


def unless_called_off(delivery: DeliveryDocument, change: Change | None) -> Change | None:
    """A delivery whose notification was cancelled while it was under way ends instead of going on."""
    if change is None or change.status is not DeliveryStatus.QUEUED or not delivery.get("called_off"):
        return change
    unknown = any_unknown(delivery, change.past)
    return replace(
        change,
        status=DeliveryStatus.UNKNOWN if unknown else DeliveryStatus.CANCELLED,
        cause=f"{change.cause}; cancelled, so not tried again",
        lane=None,
        wake_at=None,
        fields={**change.fields, "reason": CANCELLED, "code": "UNKNOWN" if unknown else None},
    )


def exhausted(delivery: DeliveryDocument, past: PastAttempt | None, cause: str, code: str, **fields: Any) -> Change:
    """Nothing is left to try: dead, unless one of its attempts may have arrived."""
    if any_unknown(delivery, past):
        unknown = held(cause, past=past)
        return replace(unknown, fields={**unknown.fields, **fields})
    return dead(cause, code=code, past=past, **fields)


def dead(reason: str, *, code: str, past: PastAttempt | None = None, **fields: Any) -> Change:
    return Change(DeliveryStatus.FAILED, reason, past=past, fields={"reason": reason, "code": code, **fields})


def expired(delivery: DeliveryDocument, past: PastAttempt | None) -> Change:
    """Its validity ended; whether it was sent before is said too when nobody can tell."""
    if any_unknown(delivery, past):
        return held("its validity ended", past=past)
    return Change(DeliveryStatus.EXPIRED, "its validity ended", past=past, fields={"reason": "validity ended"})


def held(cause: str, *, past: PastAttempt | None) -> Change:
    """For a person: nobody can tell what became of it."""
    reason = "the provider took the request and never told what became of it"
    return Change(
        DeliveryStatus.UNKNOWN,
        f"{cause}; held for a person",
        past=past,
        fields={"reason": reason, "code": "UNKNOWN"},
    )


def _round_over(
    delivery: DeliveryDocument, past: PastAttempt | None, situation: Situation, cause: str, **fields: Any
) -> Change:
    """Every provider that can be used was tried: wait and start again, or give up."""
    providers = willing(delivery, past)
    if not any(provider in situation.usable for provider in providers):
        # None can be used: waiting for one costs no retry, and the lane is served as soon as one is back.
        return _queued(delivery, providers, cause, past, round_from=delivery["attempts_made"], **fields)
    this_round = tried(delivery, past)
    if this_round and all(attempt["outcome"] == AttemptState.REVOKED for attempt in this_round):
        return _wait(delivery, situation, SILENT_GATEWAY_WAIT, cause, past=past, **fields)
    wait = situation.plan.wait(delivery["retries"])
    if wait is None:
        return exhausted(delivery, past, cause, "RETRY_FAILED", **fields)
    return _wait(delivery, situation, wait, cause, past=past, retries=delivery["retries"] + 1, **fields)


def _wait(
    delivery: DeliveryDocument,
    situation: Situation,
    wait: timedelta,
    cause: str,
    *,
    past: PastAttempt | None,
    **fields: Any,
) -> Change:
    return Change(
        DeliveryStatus.QUEUED,
        f"{cause}; again in {wait.total_seconds():.1f} s",
        wake_at=min(situation.now + wait, delivery["expires_at"]),
        past=past,
        fields={"round_from": delivery["attempts_made"], **fields},
    )


def _queued(
    delivery: DeliveryDocument, providers: Collection[str], cause: str, past: PastAttempt | None, **fields: Any
) -> Change:
    return Change(
        DeliveryStatus.QUEUED, cause, lane=lane(list(providers)), wake_at=delivery["expires_at"], past=past,
        fields=fields,
    )  # fmt: skip
