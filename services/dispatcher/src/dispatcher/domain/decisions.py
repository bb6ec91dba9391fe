"""What becomes of a delivery after an outcome, or after nothing came in time. One place decides every retry."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from common.contracts.documents import CurrentAttempt, DeliveryDocument, PastAttempt
from common.contracts.events import AttemptOutcome
from common.contracts.vocabulary import AttemptState, DeliveryStatus, FailureClass, OnUnknown
from dispatcher.domain.change import Change
from dispatcher.domain.lanes import lane
from dispatcher.domain.retries import RetryPlan

FINAL_FAILURES = frozenset({FailureClass.RECIPIENT, FailureClass.MESSAGE})
"""No provider and no retry mends these."""
NO_RETRY = frozenset({FailureClass.BUG})
"""Another provider may still take it; the same one never will."""
SILENT_GATEWAY_WAIT = timedelta(seconds=1)


@dataclass(frozen=True)
class Situation:
    """What a decision depends on besides the delivery: the time, the providers that can be used now, the plan."""

    now: datetime
    usable: Collection[str]
    plan: RetryPlan


def decide(delivery: DeliveryDocument, outcome: AttemptOutcome, situation: Situation) -> Change | None:
    """Apply an outcome; `None` when it changes nothing (a duplicate, a late word about something settled)."""
    attempt = delivery["attempt"]
    if attempt is None or attempt["number"] != outcome.number or attempt["claim"] != outcome.claim:
        return _late(delivery, outcome, situation)
    return _decide_current(delivery, attempt, outcome, situation)


def _decide_current(
    delivery: DeliveryDocument, attempt: CurrentAttempt, outcome: AttemptOutcome, situation: Situation
) -> Change | None:
    past = _past(attempt, outcome)
    if _succeeded_before(delivery) and outcome.state is not AttemptState.SUCCEEDED:
        return Change(DeliveryStatus.SENT, "an earlier attempt had succeeded after all", past=past)
    match outcome.state:
        case AttemptState.SUCCEEDED:
            return _sent(delivery, attempt["provider"], outcome.finished_at, past=past)
        case AttemptState.FAILED:
            return _failed(delivery, past, outcome.failure or FailureClass.UNCLASSIFIED, situation)
        case AttemptState.UNKNOWN:
            return _unknown(delivery, past, situation)
        case AttemptState.MISSED:
            return _line_up(
                delivery, situation, cause=f"{attempt['sender']}: {outcome.error or 'not called'}", past=past
            )
        case AttemptState.REQUESTED | AttemptState.STARTED | AttemptState.REVOKED:
            return None
        case _:
            assert_never(outcome.state)


def wake(delivery: DeliveryDocument, situation: Situation) -> Change | None:
    """Decide on a delivery whose `wake_at` has passed; `None` when somebody else already did."""
    match DeliveryStatus(delivery["status"]):
        case DeliveryStatus.SCHEDULED:
            return _line_up(delivery, situation, cause="its time has come")
        case DeliveryStatus.QUEUED:
            return _line_up(delivery, situation, cause="waited long enough", new_round=True)
        case DeliveryStatus.SENDING:
            return _overdue_attempt(delivery, situation)
        case _:
            return None


def tried(delivery: DeliveryDocument, past: PastAttempt | None = None) -> list[PastAttempt]:
    """The attempts of this round that count against their provider."""
    attempts = [*delivery["attempts"], *([past] if past else [])]
    counted = {AttemptState.FAILED, AttemptState.UNKNOWN, AttemptState.REVOKED}
    return [a for a in attempts if a["number"] > delivery["round_from"] and a["outcome"] in counted]


def _overdue_attempt(delivery: DeliveryDocument, situation: Situation) -> Change:
    attempt = delivery["attempt"]
    if attempt is None:
        return _after_unknown(delivery, None, situation, cause="no proof came")
    if attempt["state"] == AttemptState.REQUESTED:
        return _revoked(delivery, attempt, situation)
    past = _ended(attempt, AttemptState.UNKNOWN, situation.now, "no answer came in time")
    return _unknown(delivery, past, situation)


def _sent(
    delivery: DeliveryDocument, provider: str, at: datetime, *, past: PastAttempt | None = None, **amendment: Any
) -> Change:
    failover = provider != delivery["route"][0]
    return Change(
        DeliveryStatus.SENT,
        f"{provider} took it",
        past=past,
        fields={"sent_at": at, "failover": failover, "reason": None, "code": None},
        **amendment,
    )


def _failed(delivery: DeliveryDocument, past: PastAttempt, failure: FailureClass, situation: Situation) -> Change:
    said = f"{past['sender']}: {past['error'] or failure}"
    if failure in FINAL_FAILURES:
        return _dead(said, code=_CODES[failure], past=past)
    return _next_provider(delivery, past, situation, said) or _round_over(delivery, past, situation, said)


def _next_provider(
    delivery: DeliveryDocument, past: PastAttempt | None, situation: Situation, cause: str, **fields: Any
) -> Change | None:
    """At once to the next provider of the route that was not tried in this round and can be used."""
    done = {attempt["provider"] for attempt in tried(delivery, past)}
    remaining = [provider for provider in delivery["route"] if provider not in done]
    if not any(provider in situation.usable for provider in remaining):
        return None
    if situation.now >= delivery["expires_at"]:
        return None
    return Change(
        DeliveryStatus.QUEUED, cause, lane=lane(remaining), wake_at=delivery["expires_at"], past=past, fields=fields
    )


def _round_over(
    delivery: DeliveryDocument, past: PastAttempt | None, situation: Situation, cause: str, **fields: Any
) -> Change:
    """Every provider was tried: wait and start again, or give up."""
    this_round = tried(delivery, past)
    if this_round and all(attempt["code"] in NO_RETRY for attempt in this_round):
        return _dead(cause, code="REFUSED", past=past, **fields)
    if not any(provider in situation.usable for provider in delivery["route"]):
        # None can be used: waiting for one costs no retry, and the lane is served as soon as one is back.
        return _line_up(delivery, situation, cause=cause, past=past, new_round=True, **fields)
    if this_round and all(attempt["outcome"] == AttemptState.REVOKED for attempt in this_round):
        return _wait(delivery, situation, SILENT_GATEWAY_WAIT, cause, past=past, **fields)
    wait = situation.plan.wait(delivery["retries"])
    if wait is None:
        return _dead(cause, code="RETRY_FAILED", past=past, **fields)
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
    until = min(situation.now + wait, delivery["expires_at"])
    return Change(
        DeliveryStatus.QUEUED,
        f"{cause}; again in {wait.total_seconds():.1f} s",
        wake_at=until,
        past=past,
        fields={"round_from": delivery["attempts_made"], **fields},
    )


def _line_up(
    delivery: DeliveryDocument,
    situation: Situation,
    *,
    cause: str,
    past: PastAttempt | None = None,
    new_round: bool = False,
    **fields: Any,
) -> Change:
    """Into the lane of the providers not tried in this round; `expired` when its time is over."""
    if situation.now >= delivery["expires_at"]:
        return Change(
            DeliveryStatus.EXPIRED, "its validity ended", past=past, fields={"reason": "validity ended", **fields}
        )
    if new_round:
        remaining = delivery["route"]
        fields = {"round_from": delivery["attempts_made"], **fields}
    else:
        done = {attempt["provider"] for attempt in tried(delivery, past)}
        remaining = [provider for provider in delivery["route"] if provider not in done] or delivery["route"]
    return Change(
        DeliveryStatus.QUEUED, cause, lane=lane(remaining), wake_at=delivery["expires_at"], past=past, fields=fields
    )


def _unknown(delivery: DeliveryDocument, past: PastAttempt, situation: Situation) -> Change:
    wait = delivery["unknown_wait_seconds"]
    if wait <= 0:
        return _after_unknown(delivery, past, situation, cause=f"{past['sender']}: outcome unknown")
    return Change(
        DeliveryStatus.SENDING,
        f"{past['sender']}: outcome unknown ({past['error']}); waiting {wait:g} s for proof",
        wake_at=situation.now + timedelta(seconds=wait),
        past=past,
    )


def _after_unknown(delivery: DeliveryDocument, past: PastAttempt | None, situation: Situation, *, cause: str) -> Change:
    """The policy decides: a person, or another provider knowing that it may arrive twice."""
    if OnUnknown(delivery["on_unknown"]) is OnUnknown.HOLD:
        return Change(
            DeliveryStatus.UNKNOWN,
            f"{cause}; held for a person",
            past=past,
            fields={"reason": "the provider took the request and never told what became of it", "code": "UNKNOWN"},
        )
    cause = f"{cause}; resent, may arrive twice"
    again = {"possible_duplicate": True}
    return _next_provider(delivery, past, situation, cause, **again) or _round_over(
        delivery, past, situation, cause, **again
    )


def _revoked(delivery: DeliveryDocument, attempt: CurrentAttempt, situation: Situation) -> Change:
    past = _ended(attempt, AttemptState.REVOKED, situation.now, "the gateway did not take it in time")
    cause = f"{attempt['sender']}: revoked, the gateway did not take it in time"
    return _next_provider(delivery, past, situation, cause) or _round_over(delivery, past, situation, cause)


def _late(delivery: DeliveryDocument, outcome: AttemptOutcome, situation: Situation) -> Change | None:
    """Word about an attempt that was given up as unknown: proof, whenever it comes."""
    known = next((a for a in delivery["attempts"] if a["number"] == outcome.number), None)
    if known is None or known["outcome"] != AttemptState.UNKNOWN or outcome.state is AttemptState.UNKNOWN:
        return None
    amended: PastAttempt = {
        **known,
        "outcome": outcome.state,
        "code": outcome.failure,
        "error": outcome.error,
        "provider_message_id": outcome.provider_message_id,
    }
    amendment: dict[str, Any] = {"amended_number": outcome.number, "amended": amended}
    status = DeliveryStatus(delivery["status"])
    waiting_for_proof = status is DeliveryStatus.SENDING and delivery["attempt"] is None
    if outcome.state is AttemptState.SUCCEEDED and (
        waiting_for_proof or status in {DeliveryStatus.QUEUED, DeliveryStatus.UNKNOWN}
    ):
        proven = _sent(delivery, known["provider"], outcome.finished_at, **amendment)
        resent = delivery["attempts_made"] > outcome.number
        return replace(proven, fields={**proven.fields, "possible_duplicate": resent})
    if outcome.state is AttemptState.FAILED and (waiting_for_proof or status is DeliveryStatus.UNKNOWN):
        known_failed: DeliveryDocument = {
            **delivery,
            "attempts": [amended if a["number"] == outcome.number else a for a in delivery["attempts"]],
        }
        change = _after_late_failure(known_failed, amended, outcome, situation)
        return replace(change, **amendment)
    return Change(
        status,
        f"{known['sender']}: late word, attempt {outcome.number} {outcome.state}",
        lane=delivery.get("lane"),
        wake_at=delivery.get("wake_at"),
        keep_attempt=True,
        **amendment,
    )


def _after_late_failure(
    delivery: DeliveryDocument, amended: PastAttempt, outcome: AttemptOutcome, situation: Situation
) -> Change:
    said = f"{amended['sender']}: not sent after all, {amended['error'] or outcome.failure}"
    if outcome.failure in FINAL_FAILURES:
        return _dead(said, code=_CODES[outcome.failure])
    return _next_provider(delivery, None, situation, said) or _round_over(delivery, None, situation, said)


def _dead(reason: str, *, code: str, past: PastAttempt | None = None, **fields: Any) -> Change:
    return Change(DeliveryStatus.FAILED, reason, past=past, fields={"reason": reason, "code": code, **fields})


def _past(attempt: CurrentAttempt, outcome: AttemptOutcome) -> PastAttempt:
    return {
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


def _ended(attempt: CurrentAttempt, state: AttemptState, now: datetime, error: str) -> PastAttempt:
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


def _succeeded_before(delivery: DeliveryDocument) -> bool:
    return any(attempt["outcome"] == AttemptState.SUCCEEDED for attempt in delivery["attempts"])


_CODES = {FailureClass.RECIPIENT: "INVALID_PHONE", FailureClass.MESSAGE: "REFUSED"}
