"""From an answer to the outcome that is reported."""

from datetime import datetime
from typing import assert_never

from common.contracts.events import AttemptOutcome
from common.contracts.vocabulary import AttemptState, FailureClass
from common.telemetry.logs import clean
from gateway.domain.answer import Accepted, Answer, Missed, Refused, Unknown

ERROR_CHARS = 300


def make_outcome(
    answer: Answer | Missed,
    *,
    delivery_id: str,
    number: int,
    claim: str,
    sender: str,
    started_at: datetime | None,
    finished_at: datetime,
    traceparent: str | None = None,
) -> AttemptOutcome:
    """The outcome of one attempt; what the provider said is cleaned of numbers and secrets, and cut."""
    failure: FailureClass | None = None
    error: str | None = None
    provider_message_id: str | None = None
    quota_remaining: int | None = None
    match answer:
        case Accepted(provider_message_id=provider_message_id, quota_remaining=quota_remaining):
            state = AttemptState.SUCCEEDED
        case Refused(failure=failure, error=error):
            state = AttemptState.FAILED
        case Unknown(error=error, provider_message_id=provider_message_id):
            state = AttemptState.UNKNOWN
        case Missed():
            state, error, started_at = AttemptState.MISSED, str(answer), None
        case _ as never:
            assert_never(never)
    return AttemptOutcome(
        delivery_id=delivery_id,
        number=number,
        claim=claim,
        sender=sender,
        state=state,
        failure=failure,
        error=clean(error[: 3 * ERROR_CHARS])[:ERROR_CHARS] if error else None,
        provider_message_id=provider_message_id,
        quota_remaining=quota_remaining,
        started_at=started_at,
        finished_at=finished_at,
        traceparent=traceparent,
    )
