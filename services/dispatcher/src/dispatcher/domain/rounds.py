"""A round: every provider of the route in its order, then a wait and the next round, until there is none left."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from common.contracts.documents import DeliveryDocument, PastAttempt
from common.contracts.vocabulary import OPTED_OUT, UNTOLD, DeliveryStatus
from dispatcher.domain.attempts import NEVER_CALLED, any_unknown, remaining, times_reached, tried, willing, with_word
from dispatcher.domain.change import Change
from dispatcher.domain.circuit import AT_ONCE
from dispatcher.domain.lanes import lane
from dispatcher.domain.retries import RetryPlan

CANCELLED = "its notification was cancelled"
SILENT_GATEWAY_WAIT = timedelta(seconds=1)
REST_OF_ROUND = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)
"""How often it is looked at whether the providers left in a round can still serve it: the seldomer the longer it waits.
Usually one that goes is noticed at once."""


@dataclass(frozen=True)
class Situation:
    """What a decision depends on besides the delivery: the time, the providers that can be used now, the plan.

    `probed`: providers that are out and wait for one delivery to try whether they are back.
    """

    now: datetime
    usable: Collection[str]
    plan: RetryPlan
    probed: frozenset[str] = frozenset()

    def takes(self, provider: str) -> bool:
        """Whether the provider can be given one delivery more."""
        return provider in self.usable or provider in self.probed

    def following(self, change: Change) -> "Situation":
        """After this change: a provider is probed with one delivery."""
        used = {change.lane.partition(",")[0]} if change.lane and change.past is not None else set()
        return replace(self, probed=self.probed - used) if used & self.probed else self


def go_on(
    delivery: DeliveryDocument, past: PastAttempt | None, situation: Situation, cause: str, **fields: Any
) -> Change:
    """After an attempt that did not work: the next provider at once, or whatever follows the end of the round."""
    if situation.now >= delivery["expires_at"]:
        return expired(delivery, past)
    if not willing(delivery, past):
        return exhausted(delivery, past, cause, "REFUSED", **fields)
    left = remaining(delivery, past)
    if any(situation.takes(provider) for provider in left):
        return _queued(delivery, left, situation.now, cause, past, **fields)
    return _round_over(delivery, past, situation, cause, **fields)


def line_up(delivery: DeliveryDocument, now: datetime, *, cause: str, past: PastAttempt | None = None) -> Change:
    """Into the lane of the providers not tried in this round; `expired` when its time is over."""
    if now >= delivery["expires_at"]:
        return expired(delivery, past)
    providers = remaining(delivery, past) or willing(delivery, past) or delivery["route"]
    return _queued(delivery, providers, now, cause, past)


def new_round(delivery: DeliveryDocument, situation: Situation) -> Change:
    """All of its providers are asked again once none of those it waits for can take it; that uses no retry.

    As long as one of them can, it only has to wait for its turn: the others have failed it in this round.
    """
    now = situation.now
    if now >= delivery["expires_at"]:
        return expired(delivery, None)
    waits_for = delivery["lane"].split(",")
    providers = willing(delivery) or delivery["route"]
    if waits_for == providers or any(situation.takes(provider) for provider in waits_for):
        return _waits_on(delivery, now, whole=waits_for == providers)
    return _queued(delivery, providers, now, "not served, so all are asked again", None,
                   round_from=delivery["attempts_made"])  # fmt: skip


def unless_called_off(delivery: DeliveryDocument, change: Change | None) -> Change | None:
    """A delivery that was cancelled while it was under way ends instead of going on."""
    if change is None or change.status is not DeliveryStatus.QUEUED or "called_off" not in delivery:
        return change
    after = delivery
    if change.amended_number is not None:
        after = with_word(delivery, {**_attempt(delivery, change.amended_number), **change.amended})  # type: ignore[typeddict-item]  # amended are its fields
    unknown = any_unknown(after, change.past)
    attempts = [*after["attempts"], *([change.past] if change.past else [])]
    code = delivery.get("called_off_code")
    end = DeliveryStatus.SUPPRESSED if code == OPTED_OUT else DeliveryStatus.CANCELLED
    return replace(
        change,
        status=DeliveryStatus.UNKNOWN if unknown else end,
        cause=f"{change.cause}; {delivery['called_off']}, so not tried again",
        lane=None,
        wake_at=None,
        fields={
            "reason": UNTOLD if unknown else delivery["called_off"],
            "code": "UNKNOWN" if unknown else code,
            "possible_duplicate": delivery["possible_duplicate"] and times_reached(attempts) > 1,
        },
    )


def refused(delivery: DeliveryDocument, *, sender: str, window: str) -> Change:
    """A direct send does not wait for a limit: whoever asked is told at once."""
    cause = f"{sender}: the {window} limit is reached"
    return _called_off(delivery, DeliveryStatus.CANCELLED, cause, f"{window.upper()}_LIMIT_EXCEEDED")


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


def suppressed(delivery: DeliveryDocument, reason: str, *, code: str) -> Change:
    """Its recipient is not to be contacted any more; whether it was sent before is said too when nobody can tell."""
    return _called_off(delivery, DeliveryStatus.SUPPRESSED, reason, code)


def cancelled(delivery: DeliveryDocument) -> Change:
    """Its notification was cancelled; whether it was sent before is said too when nobody can tell."""
    return _called_off(delivery, DeliveryStatus.CANCELLED, CANCELLED, None)


def _called_off(delivery: DeliveryDocument, status: DeliveryStatus, reason: str, code: str | None) -> Change:
    if any_unknown(delivery):
        unknown = held(reason, past=None)
        return replace(unknown, fields={**unknown.fields, "called_off": reason, "called_off_code": code})
    return Change(status, reason, fields={"reason": reason, "code": code})


def held(cause: str, *, past: PastAttempt | None) -> Change:
    """For a person: nobody can tell what became of it."""
    return Change(
        DeliveryStatus.UNKNOWN,
        f"{cause}; held for a person",
        past=past,
        fields={"reason": UNTOLD, "code": "UNKNOWN"},
    )


def _round_over(
    delivery: DeliveryDocument, past: PastAttempt | None, situation: Situation, cause: str, **fields: Any
) -> Change:
    """Every provider that can be used was tried: wait and start again, or give up."""
    providers = willing(delivery, past)
    this_round = tried(delivery, past)
    called = [attempt for attempt in this_round if attempt["outcome"] not in NEVER_CALLED]
    failed_it = {attempt["provider"] for attempt in called if attempt["code"] not in AT_ONCE}
    retries = delivery["retries"]
    wait = situation.plan.wait(retries)
    # Its own failures may have opened the last circuit, and whether this dispatcher knows yet must not decide.
    given_up = wait is None and failed_it.issuperset(providers)
    if not given_up and not any(provider in situation.usable for provider in providers):
        # None can be used: waiting for one costs no retry, and the lane is served as soon as one is back.
        return _queued(delivery, providers, situation.now, cause, past, round_from=delivery["attempts_made"], **fields)
    if this_round and not called:
        return _wait(delivery, situation.now + SILENT_GATEWAY_WAIT, f"{cause}; again in 1.0 s", past, **fields)
    if wait is None:
        return exhausted(delivery, past, cause, "RETRY_FAILED", **fields)
    at = situation.now + wait
    if at >= delivery["expires_at"]:  # no retry follows, so none is counted
        return _wait(delivery, at, f"{cause}; its validity ends before the next try", past, **fields)
    again = f"again in {wait.total_seconds():.1f} s"
    if situation.plan.is_last(retries):
        again = f"every provider failed; {again} for the last time, at {at:%Y-%m-%dT%H:%M:%SZ}"
    return _wait(delivery, at, f"{cause}; {again}", past, retries=retries + 1, **fields)


def _wait(delivery: DeliveryDocument, at: datetime, cause: str, past: PastAttempt | None, **fields: Any) -> Change:
    return Change(
        DeliveryStatus.QUEUED,
        cause,
        wake_at=min(at, delivery["expires_at"]),
        past=past,
        fields={"round_from": delivery["attempts_made"], **fields},
    )


def _queued(
    delivery: DeliveryDocument,
    providers: Sequence[str],
    now: datetime,
    cause: str,
    past: PastAttempt | None,
    **fields: Any,
) -> Change:
    wake_at = delivery["expires_at"]
    if len(providers) < len(willing(delivery, past)):
        wake_at = min(now + REST_OF_ROUND, wake_at)
    return Change(DeliveryStatus.QUEUED, cause, lane=lane(providers), wake_at=wake_at, past=past, fields=fields)


def _waits_on(delivery: DeliveryDocument, now: datetime, *, whole: bool) -> Change:
    """Nothing happens, so nothing is told."""
    expires_at = delivery["expires_at"]
    rest = min(max(REST_OF_ROUND, now - delivery["queued_at"]), LONGEST_REST)
    wake_at = expires_at if whole else min(now + rest, expires_at)
    return Change(DeliveryStatus.QUEUED, "", lane=delivery["lane"], wake_at=wake_at, keep_attempt=True)


def _attempt(delivery: DeliveryDocument, number: int) -> PastAttempt:
    return next(attempt for attempt in delivery["attempts"] if attempt["number"] == number)
