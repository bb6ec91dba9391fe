"""Word about an attempt that was given up as unknown: proof, whenever it comes."""

from dataclasses import dataclass, replace

from common.contracts.documents import DeliveryDocument, PastAttempt
from common.contracts.events import AttemptOutcome
from common.contracts.vocabulary import AttemptState, DeliveryStatus
from dispatcher.domain.attempts import times_reached, with_word
from dispatcher.domain.change import Change

SETTLED_BY_PROOF = frozenset(
    {
        DeliveryStatus.SCHEDULED,
        DeliveryStatus.QUEUED,
        DeliveryStatus.SENDING,
        DeliveryStatus.UNKNOWN,
        DeliveryStatus.FAILED,
        DeliveryStatus.EXPIRED,
        DeliveryStatus.CANCELLED,
    }
)
"""What a late success overrules: the recipient has the message, whatever was thought since."""


TO_BE_CALLED = frozenset({DeliveryStatus.SCHEDULED, DeliveryStatus.QUEUED})


@dataclass(frozen=True)
class LateWord:
    """`delivery` with the attempt as it turned out; `change` writes that down and leaves everything else as it is.

    `not_sent_after_all`: the delivery waited for this word, and what follows a failure has to follow now.
    """

    delivery: DeliveryDocument
    amended: PastAttempt
    change: Change
    not_sent_after_all: bool = False

    def applied_to(self, change: Change) -> Change:
        """Another change that also writes the word down."""
        calls_to_come = change.status in TO_BE_CALLED
        fields = {"possible_duplicate": _still_marked(self.delivery, calls_to_come), **change.fields}
        return replace(change, amended_number=self.amended["number"], amended=self.amended, fields=fields)


def late_word(delivery: DeliveryDocument, outcome: AttemptOutcome) -> LateWord | None:
    """What the word changes; `None` when nobody waited for it."""
    known = next((a for a in delivery["attempts"] if a["number"] == outcome.number), None)
    if known is None or known["outcome"] != AttemptState.UNKNOWN:
        return None
    if outcome.state not in {AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.MISSED}:
        return None
    amended: PastAttempt = {
        **known,
        "outcome": outcome.state,
        "code": outcome.failure,
        "error": outcome.error,
        "provider_message_id": outcome.provider_message_id,
    }
    after = with_word(delivery, amended)
    attempt = delivery["attempt"]
    # One that was only asked for is called off by this very write: its gateway can no longer start it.
    called = attempt is not None and attempt["state"] != AttemptState.REQUESTED
    if outcome.state is AttemptState.SUCCEEDED and not called and delivery["status"] in SETTLED_BY_PROOF:
        return LateWord(after, amended, _proven(after, amended, outcome))
    return LateWord(
        after,
        amended,
        _noted(after, amended),
        not_sent_after_all=outcome.state is not AttemptState.SUCCEEDED and _awaits(delivery, known["number"]),
    )


def _awaits(delivery: DeliveryDocument, number: int) -> bool:
    """Whether this attempt's outcome is what the delivery stands still for."""
    if number != delivery["attempts"][-1]["number"] or delivery["attempt"] is not None or "discarded_at" in delivery:
        return False
    return delivery["status"] in {DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN}


def _proven(delivery: DeliveryDocument, amended: PastAttempt, outcome: AttemptOutcome) -> Change:
    return Change(
        DeliveryStatus.SENT,
        f"{amended['provider']} took it",
        amended_number=amended["number"],
        amended=amended,
        fields={
            "sent_at": outcome.finished_at,
            "sent_by": amended["provider"],
            "failover": amended["provider"] != delivery["route"][0],
            "reason": None,
            "code": None,
            "possible_duplicate": times_reached(delivery["attempts"]) > 1,
        },
    )


def _noted(delivery: DeliveryDocument, amended: PastAttempt) -> Change:
    status = DeliveryStatus(delivery["status"])
    calls_to_come = status in TO_BE_CALLED or delivery["attempt"] is not None
    if amended["outcome"] == AttemptState.SUCCEEDED:
        said = f"attempt {amended['number']} had succeeded after all"
    else:
        said = f"attempt {amended['number']} was not sent after all, {amended['error'] or amended['code']}"
    return Change(
        status,
        f"{amended['sender']}: {said}",
        lane=delivery.get("lane"),
        wake_at=delivery.get("wake_at"),
        amended_number=amended["number"],
        amended=amended,
        fields={"possible_duplicate": _still_marked(delivery, calls_to_come)},
        keep_attempt=True,
    )


def _still_marked(delivery: DeliveryDocument, calls_to_come: int) -> bool:
    """Whether it may arrive twice all the same, given what is known now."""
    return delivery["possible_duplicate"] and times_reached(delivery["attempts"]) + calls_to_come > 1
