"""What a provider's report makes of a delivery: proof where nobody knew, a step forward, or a failure after all.

Reports come late, twice and out of order. A delivery only moves forward (sent, delivered, read), and what arrived is
believed over what is said to have failed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from common.contracts.documents import DeliveryDocument, PastAttempt
from common.contracts.events import AttemptOutcome, Report, Reported
from common.contracts.vocabulary import AttemptState, DeliveryStatus, FailureClass
from dispatcher.domain.attempts import times_reached, with_word
from dispatcher.domain.change import Change
from dispatcher.domain.decisions import FINAL_CODES, decide
from dispatcher.domain.rounds import Situation, exhausted

STAGES = {DeliveryStatus.SENT: 0, DeliveryStatus.DELIVERED: 1, DeliveryStatus.READ: 2}
REACHED = {
    Reported.SENT: DeliveryStatus.SENT,
    Reported.DELIVERED: DeliveryStatus.DELIVERED,
    Reported.READ: DeliveryStatus.READ,
}
ARRIVED = frozenset({Reported.DELIVERED, Reported.READ})
MOMENTS = {Reported.DELIVERED: "delivered_at", Reported.READ: "read_at"}
UNDER_WAY = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.SCHEDULED})
OVERRULED = frozenset({DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN, DeliveryStatus.EXPIRED, DeliveryStatus.CANCELLED})
"""Ends that do not stand once the message is known to have arrived."""
REFUSED = "REFUSED"


@dataclass(frozen=True)
class Effect:
    """A change to save; `again`: the report says more than this change, so it is applied once more after it."""

    change: Change
    again: bool = False


class NotYet:
    """The report is about something that is still under way: it is kept and tried again."""


NOT_YET = NotYet()


@dataclass(frozen=True)
class _Told:
    """A report on one past attempt of a delivery; `link` is what it tells of the attempt's names."""

    delivery: DeliveryDocument
    attempt: PastAttempt
    report: Report
    link: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> DeliveryStatus:
        return DeliveryStatus(self.delivery["status"])

    def quiet(self, fields: Mapping[str, Any], *, cause: str = "", **amended: Any) -> Change:
        """A change that leaves the delivery where it is."""
        return Change(
            self.status,
            cause,
            lane=self.delivery.get("lane"),
            wake_at=self.delivery.get("wake_at"),
            amended_number=self.attempt["number"],
            amended={**self.link, **amended},
            fields=fields,
            keep_attempt=True,
        )


def apply_report(
    delivery: DeliveryDocument, number: int, report: Report, situation: Situation
) -> Effect | NotYet | None:
    """What a report on one attempt changes; `None` when it says nothing new."""
    attempt = next((one for one in delivery["attempts"] if one["number"] == number), None)
    if attempt is None:
        current = delivery["attempt"]
        return NOT_YET if current is not None and current["number"] == number else None
    told = _Told(delivery, attempt, report, _link(attempt, report))
    if attempt["outcome"] == AttemptState.UNKNOWN:
        return _proof(told, situation)
    if report.reported in REACHED:
        return _forward(told)
    return _failed_after_all(told)


def _link(attempt: PastAttempt, report: Report) -> dict[str, Any]:
    """The names by which later reports speak of the attempt."""
    names = {"provider_message_id": report.message_id, "state_id": report.state_id}
    return {name: value for name, value in names.items() if value and not attempt.get(name)}


def _proof(told: _Told, situation: Situation) -> Effect | None:
    """Where nobody knew, the report is the outcome, through the same decision as a late one."""
    report, attempt = told.report, told.attempt
    sent = report.reported in REACHED
    outcome = AttemptOutcome(
        delivery_id=told.delivery["_id"],
        number=attempt["number"],
        claim="",
        sender=attempt["sender"],
        state=AttemptState.SUCCEEDED if sent else AttemptState.FAILED,
        failure=None if sent else report.failure,
        error=None if sent else report.error or report.reported.value,
        provider_message_id=attempt["provider_message_id"] or report.message_id,
        finished_at=report.at,
    )
    change = decide(told.delivery, outcome, situation)
    if change is None:
        return None
    amended = {**change.amended, **told.link}
    return Effect(replace(change, amended=amended), again=report.reported in ARRIVED)


def _forward(told: _Told) -> Effect | NotYet | None:
    delivery, reported = told.delivery, told.report.reported
    succeeded = told.attempt["outcome"] == AttemptState.SUCCEEDED
    moment = MOMENTS.get(reported)
    fields: dict[str, Any] = {moment: told.report.at} if moment is not None and moment not in delivery else {}
    if told.status in UNDER_WAY:
        if told.link:
            return Effect(told.quiet({}), again=reported in ARRIVED)
        return NOT_YET if reported in ARRIVED else None
    if told.status in STAGES and STAGES[REACHED[reported]] <= STAGES[told.status]:
        return Effect(told.quiet(fields)) if fields or told.link else None
    if reported not in ARRIVED or told.status not in {*STAGES, *OVERRULED}:
        return Effect(told.quiet({})) if told.link else None
    amended: dict[str, Any] = dict(told.link)
    if not succeeded:
        amended |= {"outcome": AttemptState.SUCCEEDED, "code": None, "error": None}
    if told.status in OVERRULED:
        route = delivery["route"]
        failover = bool(route) and told.attempt["provider"] != route[0]
        fields |= {"reason": None, "code": None, "failover": failover, "sent_by": told.attempt["provider"]}
        fields |= {} if delivery["sent_at"] else {"sent_at": told.attempt["finished_at"]}
    return Effect(
        Change(
            REACHED[reported],
            f"{told.attempt['provider']} says it was {reported.value}",
            amended_number=told.attempt["number"],
            amended=amended,
            fields=fields,
        )
    )


def _failed_after_all(told: _Told) -> Effect | None:
    """The provider took it, and then gave it up."""
    report, attempt = told.report, told.attempt
    if attempt["outcome"] != AttemptState.SUCCEEDED or told.status in {DeliveryStatus.DELIVERED, DeliveryStatus.READ}:
        return Effect(told.quiet({})) if told.link else None
    said = report.error or report.failure or report.reported.value
    amended = {"outcome": AttemptState.FAILED, "code": report.failure, "error": said}
    after = with_word(told.delivery, {**attempt, **amended})  # type: ignore[typeddict-item]  # they are its fields
    others = any(one["outcome"] == AttemptState.SUCCEEDED for one in after["attempts"])
    cause = f"{attempt['sender']} took it and did not send it: {said}"
    if others or told.status is not DeliveryStatus.SENT:
        calls_to_come = told.status in UNDER_WAY
        twice = told.delivery["possible_duplicate"] and times_reached(after["attempts"]) + calls_to_come > 1
        return Effect(told.quiet({"possible_duplicate": twice}, cause=cause, **amended))
    code = FINAL_CODES.get(report.failure or FailureClass.UNCLASSIFIED, REFUSED)
    change = exhausted(after, None, cause, code, sent_at=None, sent_by=None)
    return Effect(
        replace(change, amended_number=attempt["number"], amended={**told.link, **amended}),
    )
