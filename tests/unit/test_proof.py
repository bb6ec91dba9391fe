"""A provider is asked soon, then now and then, and once more right before the policy decides."""

from datetime import timedelta

import pytest

from common.contracts.vocabulary import AttemptState
from dispatcher.domain.proof import doubted, first_enquiry, is_last, next_enquiry
from tests.support.dispatching.model import FONNTE, START, WABLAS, claimed, end_of, queued


@pytest.mark.parametrize(("wait", "most"), [(0.5, 1), (2, 1), (6, 2), (60, 8), (3600, 400)])
def test_however_long_the_wait_the_last_enquiry_comes_before_its_end(wait: float, most: int) -> None:
    span = timedelta(seconds=wait)
    wake_at, at = START + span, first_enquiry(START, span)
    asked = []
    while at < wake_at:
        asked.append(at)
        assert len(asked) <= most
        at = next_enquiry(wake_at, at)
    assert [is_last(wake_at, one) for one in asked] == [False] * (len(asked) - 1) + [True]
    assert at == wake_at


def test_every_attempt_nobody_can_tell_the_outcome_of_is_asked_about() -> None:
    first = end_of(claimed(queued(unknown_wait_seconds=0.0), FONNTE), AttemptState.UNKNOWN)
    second = end_of(claimed(first, WABLAS), AttemptState.UNKNOWN)
    asked = [(provider, one.number, one.sender, one.reference) for provider, one in doubted(second)]
    identity = second["_id"]
    assert asked == [("fonnte", 1, "fonnte-1", f"{identity}.1"), ("wablas", 2, "wablas-1", f"{identity}.2")]


def test_a_wait_for_proof_begins_with_an_enquiry_and_no_wait_has_none() -> None:
    waiting = end_of(claimed(queued(unknown_wait_seconds=60.0), FONNTE), AttemptState.UNKNOWN)
    assert waiting["proof_at"] == START + timedelta(seconds=1)
    assert "proof_at" not in end_of(claimed(queued(unknown_wait_seconds=0.0), FONNTE), AttemptState.UNKNOWN)
