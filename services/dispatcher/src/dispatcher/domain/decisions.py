"""What becomes of a delivery after an outcome, or after nothing came in time. One place decides every retry."""

from datetime import datetime, timedelta
from typing import assert_never

from common.contracts.documents import CurrentAttempt, DeliveryDocument, PastAttempt
from common.contracts.events import AttemptOutcome
from common.contracts.vocabulary import AttemptState, Channel, DeliveryStatus, FailureClass, OnUnknown
from dispatcher.domain.attempts import finished, given_up, success, times_reached, tried
from dispatcher.domain.audience import UNREACHABLE
from dispatcher.domain.change import Change
from dispatcher.domain.late_words import late_word
from dispatcher.domain.proof import first_enquiry
from dispatcher.domain.rounds import Situation, exhausted, go_on, held, line_up, new_round, unless_called_off

__all__ = ["FINAL_CODES", "Situation", "decide", "wake"]

FINAL_CODES = {FailureClass.RECIPIENT: "INVALID_PHONE", FailureClass.MESSAGE: "REFUSED"}
"""No provider and no retry mends these."""


def decide(delivery: DeliveryDocument, outcome: AttemptOutcome, situation: Situation) -> Change | None:
    """Apply an outcome; `None` when it changes nothing (a duplicate, a late word about something settled)."""
    return unless_called_off(delivery, _decide(delivery, outcome, situation))


def wake(delivery: DeliveryDocument, situation: Situation) -> Change | None:
    """Decide on a delivery whose `wake_at` has passed; `None` when somebody else already did."""
    return unless_called_off(delivery, _wake(delivery, situation))


def _decide(delivery: DeliveryDocument, outcome: AttemptOutcome, situation: Situation) -> Change | None:
    attempt = delivery["attempt"]
    if attempt is not None and attempt["number"] == outcome.number and attempt["claim"] == outcome.claim:
        return _decide_current(delivery, attempt, outcome, situation)
    word = late_word(delivery, outcome)
    if word is None:
        return None
    if not word.not_sent_after_all:
        return word.change
    said = word.change.cause
    return word.applied_to(_after_failure(word.delivery, None, said, outcome.failure, situation))


def _wake(delivery: DeliveryDocument, situation: Situation) -> Change | None:
    match DeliveryStatus(delivery["status"]):
        case DeliveryStatus.SCHEDULED:
            return line_up(delivery, situation.now, cause="its time has come")
        case DeliveryStatus.QUEUED if "lane" in delivery:
            return new_round(delivery, situation)
        case DeliveryStatus.QUEUED:
            return line_up(delivery, situation.now, cause="waited long enough")
        case DeliveryStatus.SENDING:
            return _overdue_attempt(delivery, situation)
        case _:
            return None


def _decide_current(
    delivery: DeliveryDocument, attempt: CurrentAttempt, outcome: AttemptOutcome, situation: Situation
) -> Change | None:
    past = finished(attempt, outcome)
    match outcome.state:
        case AttemptState.REQUESTED | AttemptState.STARTED | AttemptState.REVOKED:
            return None
        case AttemptState.SUCCEEDED:
            return _sent(delivery, attempt["provider"], outcome.finished_at, f"{attempt['provider']} took it", past)
        case AttemptState.FAILED | AttemptState.UNKNOWN | AttemptState.MISSED:
            pass
        case _:
            assert_never(outcome.state)
    if success(delivery) is not None:
        return _sent_before(delivery, past)
    if outcome.state is AttemptState.FAILED:
        said = f"{past['sender']}: {past['error'] or outcome.failure}"
        return _after_failure(delivery, past, said, outcome.failure, situation)
    if outcome.state is AttemptState.UNKNOWN:
        return _unknown(delivery, past, situation)
    return _missed(delivery, past, situation)


def _missed(delivery: DeliveryDocument, past: PastAttempt, situation: Situation) -> Change:
    """Its gateway came too late, which costs nothing; again and again is a provider that does not work."""
    said = f"{past['sender']}: {past['error'] or 'not called'}"
    if past in tried(delivery, past):
        return go_on(delivery, past, situation, said)
    return line_up(delivery, situation.now, cause=said, past=past)


def _overdue_attempt(delivery: DeliveryDocument, situation: Situation) -> Change:
    attempt = delivery["attempt"]
    if attempt is None:
        return _after_unknown(delivery, None, situation, cause="no proof came")
    if attempt["state"] == AttemptState.REQUESTED:
        past = given_up(attempt, AttemptState.REVOKED, situation.now, "the gateway did not take it in time")
        if success(delivery) is not None:
            return _sent_before(delivery, past)
        return go_on(delivery, past, situation, f"{attempt['sender']}: revoked, the gateway did not take it in time")
    past = given_up(attempt, AttemptState.UNKNOWN, situation.now, "no answer came in time")
    if success(delivery) is not None:
        return _sent_before(delivery, past)
    return _unknown(delivery, past, situation)


def _after_failure(
    delivery: DeliveryDocument,
    past: PastAttempt | None,
    said: str,
    failure: FailureClass | None,
    situation: Situation,
) -> Change:
    if failure in FINAL_CODES:
        by_recipient = failure is FailureClass.RECIPIENT
        code = UNREACHABLE[Channel(delivery["channel"])] if by_recipient else FINAL_CODES[failure]
        return exhausted(delivery, past, said, code)
    return go_on(delivery, past, situation, said)


def _sent(delivery: DeliveryDocument, provider: str, at: datetime, cause: str, past: PastAttempt) -> Change:
    failover = provider != delivery["route"][0]
    return Change(
        DeliveryStatus.SENT,
        cause,
        past=past,
        fields={"sent_at": at, "sent_by": provider, "failover": failover, "reason": None, "code": None},
    )


def _sent_before(delivery: DeliveryDocument, past: PastAttempt) -> Change:
    """The attempt under way came to nothing certain, but an earlier one has turned out to have succeeded."""
    earlier = success(delivery)
    if earlier is None:
        raise ValueError(f"no attempt of {delivery['_id']} has succeeded")
    sent = _sent(
        delivery, earlier["provider"], earlier["finished_at"], "an earlier attempt had succeeded after all", past
    )
    twice = times_reached([*delivery["attempts"], past]) > 1
    return Change(sent.status, sent.cause, past=past, fields={**sent.fields, "possible_duplicate": twice})


def _unknown(delivery: DeliveryDocument, past: PastAttempt, situation: Situation) -> Change:
    wait = delivery["unknown_wait_seconds"]
    if wait <= 0:
        return _after_unknown(delivery, past, situation, cause=f"{past['sender']}: outcome unknown")
    return Change(
        DeliveryStatus.SENDING,
        f"{past['sender']}: outcome unknown ({past['error']}); waiting {wait:g} s for proof",
        wake_at=situation.now + timedelta(seconds=wait),
        past=past,
        fields={"proof_at": first_enquiry(situation.now, timedelta(seconds=wait))},
    )


def _after_unknown(delivery: DeliveryDocument, past: PastAttempt | None, situation: Situation, *, cause: str) -> Change:
    """The policy decides: a person, or another provider knowing that it may arrive twice."""
    if OnUnknown(delivery["on_unknown"]) is OnUnknown.HOLD:
        return held(cause, past=past)
    if "called_off" not in delivery:
        cause = f"{cause}; resent, may arrive twice"
    return go_on(delivery, past, situation, cause, possible_duplicate=True)
