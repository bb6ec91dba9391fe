"""An outcome nobody can tell: proof first, then the policy, and whatever word comes late."""

import pytest

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import OPTED_OUT, AttemptState, DeliveryStatus, FailureClass, OnUnknown
from dispatcher.domain.change import Change
from dispatcher.domain.decisions import decide, wake
from dispatcher.domain.rounds import CANCELLED
from tests.support.dispatching.model import FONNTE, WABLAS, after, applied, claimed, end_of, queued, situation, told

FAILED, UNKNOWN, SUCCEEDED, MISSED = (
    AttemptState.FAILED,
    AttemptState.UNKNOWN,
    AttemptState.SUCCEEDED,
    AttemptState.MISSED,
)


def test_an_unknown_outcome_first_waits_for_proof() -> None:
    delivery = end_of(claimed(queued(unknown_wait_seconds=60.0), FONNTE), UNKNOWN)
    assert (delivery["status"], delivery["attempt"], delivery["wake_at"]) == ("sending", None, after(60))
    assert "lane" not in delivery


@pytest.mark.parametrize("wait", [0.0, 60.0])
def test_then_the_delivery_is_resent_through_the_next_provider_and_marked(wait: float) -> None:
    delivery = end_of(claimed(queued(unknown_wait_seconds=wait), FONNTE), UNKNOWN)
    if wait:
        delivery = applied(delivery, wake(delivery, situation(at=61)))
    assert (delivery["status"], delivery["lane"], delivery["possible_duplicate"]) == ("queued", WABLAS, True)


@pytest.mark.parametrize("wait", [0.0, 60.0])
def test_or_it_is_held_for_a_person_when_the_policy_says_so(wait: float) -> None:
    delivery = end_of(claimed(queued(unknown_wait_seconds=wait, on_unknown=OnUnknown.HOLD), FONNTE), UNKNOWN)
    if wait:
        delivery = applied(delivery, wake(delivery, situation(at=61)))
    assert (delivery["status"], delivery["possible_duplicate"], delivery["code"]) == ("unknown", False, "UNKNOWN")
    assert not {"lane", "wake_at"} & delivery.keys()


def test_a_started_attempt_nobody_tells_about_becomes_unknown() -> None:
    delivery = claimed(queued(on_unknown=OnUnknown.HOLD, unknown_wait_seconds=0.0), FONNTE)
    assert applied(delivery, wake(delivery, situation(at=61)))["status"] == "unknown"


@pytest.mark.parametrize("on_unknown", list(OnUnknown))
def test_a_late_success_wins_over_unknown(on_unknown: OnUnknown) -> None:
    calling = claimed(queued(on_unknown=on_unknown), FONNTE)
    waiting = end_of(calling, UNKNOWN)
    policy_decided = applied(waiting, wake(waiting, situation(at=61)))
    late = told(calling, SUCCEEDED, at=70)
    for delivery in (waiting, policy_decided):
        sent = applied(delivery, decide(delivery, late, situation(at=70)))
        assert (sent["status"], sent["sent_at"], sent["possible_duplicate"]) == ("sent", after(70), False)
        assert sent["attempts"][0]["outcome"] == "succeeded"
        assert not {"lane", "wake_at"} & sent.keys()


@pytest.mark.parametrize("end", [DeliveryStatus.FAILED, DeliveryStatus.EXPIRED, DeliveryStatus.CANCELLED])
def test_a_late_success_overrules_an_end_it_proves_wrong(end: DeliveryStatus) -> None:
    calling = claimed(queued(), FONNTE)
    ended = applied(end_of(calling, UNKNOWN), Change(end, "ended otherwise"))
    assert applied(ended, decide(ended, told(calling, SUCCEEDED), situation()))["status"] == "sent"


@pytest.mark.parametrize("state", [FAILED, MISSED])
def test_a_late_failure_goes_to_the_next_provider_unmarked(state: AttemptState) -> None:
    calling = claimed(queued(on_unknown=OnUnknown.HOLD), FONNTE)
    waiting = end_of(calling, UNKNOWN)
    held = applied(waiting, wake(waiting, situation(at=61)))
    late = told(calling, state, FailureClass.TRANSPORT if state is FAILED else None, at=70)
    for delivery in (waiting, held):
        following = applied(delivery, decide(delivery, late, situation((WABLAS,), at=70)))
        assert following["status"] == "queued"
        assert following["lane"] == (WABLAS if state is FAILED else "fonnte,wablas")
        assert not following["possible_duplicate"]


def test_a_late_final_failure_is_dead() -> None:
    calling = claimed(queued(), FONNTE)
    waiting = end_of(calling, UNKNOWN)
    dead = applied(waiting, decide(waiting, told(calling, FAILED, FailureClass.RECIPIENT), situation()))
    assert (dead["status"], dead["code"]) == ("failed", "INVALID_PHONE")


def test_a_late_failure_before_the_resend_takes_the_mark_away() -> None:
    calling = claimed(queued(unknown_wait_seconds=0.0), FONNTE)
    resent = end_of(calling, UNKNOWN)
    known = applied(resent, decide(resent, told(calling, FAILED), situation()))
    assert (known["lane"], known["possible_duplicate"]) == (WABLAS, False)


def test_a_late_failure_of_the_first_does_not_end_the_wait_for_the_second() -> None:
    first = claimed(queued(), FONNTE)
    waiting = end_of(first, UNKNOWN)
    second = end_of(claimed(applied(waiting, wake(waiting, situation(at=61))), WABLAS), UNKNOWN)
    after_word = applied(second, decide(second, told(first, FAILED), situation(at=62)))
    assert (after_word["status"], after_word["wake_at"]) == ("sending", second["wake_at"])
    assert not after_word["possible_duplicate"]


def test_a_late_failure_revives_nothing_a_person_has_discarded() -> None:
    calling = claimed(queued(on_unknown=OnUnknown.HOLD, unknown_wait_seconds=0.0), FONNTE)
    discarded: DeliveryDocument = {**end_of(calling, UNKNOWN), "discarded_at": after(100)}
    noted = applied(discarded, decide(discarded, told(calling, FAILED), situation(at=101)))
    assert (noted["status"], noted["attempts"][0]["outcome"]) == ("unknown", "failed")


@pytest.mark.parametrize("end", [FAILED, MISSED, UNKNOWN, SUCCEEDED])
def test_a_success_learnt_during_the_resend_is_never_sent_a_third_time(end: AttemptState) -> None:
    first = claimed(queued(unknown_wait_seconds=0.0), FONNTE)
    resent = claimed(end_of(first, UNKNOWN), WABLAS)
    resent = applied(resent, decide(resent, told(first, SUCCEEDED, at=5), situation(at=5)))
    assert resent["status"] == "sending"
    sent = end_of(resent, end)
    assert sent["status"] == "sent"
    assert sent["sent_at"] is not None
    assert sent["possible_duplicate"] is (end in {UNKNOWN, SUCCEEDED})


def test_nor_is_it_when_the_resend_is_never_heard_of_again() -> None:
    first = claimed(queued(unknown_wait_seconds=0.0), FONNTE)
    resent = claimed(end_of(first, UNKNOWN), WABLAS)
    resent = applied(resent, decide(resent, told(first, SUCCEEDED, at=5), situation(at=5)))
    sent = applied(resent, wake(resent, situation(at=90)))
    assert (sent["status"], sent["possible_duplicate"]) == ("sent", True)


def test_a_success_learnt_before_the_resend_has_started_calls_it_off() -> None:
    first = claimed(queued(unknown_wait_seconds=0.0), FONNTE)
    requested = claimed(end_of(first, UNKNOWN), WABLAS, started=False)
    sent = applied(requested, decide(requested, told(first, SUCCEEDED, at=5), situation(at=5)))
    assert (sent["status"], sent["attempt"], sent["possible_duplicate"]) == ("sent", None, False)


def test_what_used_up_every_retry_is_unknown_when_one_attempt_may_have_arrived() -> None:
    delivery = end_of(claimed(queued(unknown_wait_seconds=0.0), FONNTE), UNKNOWN)
    delivery = end_of(claimed({**delivery, "retries": 4}, WABLAS), FAILED, FailureClass.TRANSPORT)
    assert (delivery["status"], delivery["code"], delivery["possible_duplicate"]) == ("unknown", "UNKNOWN", True)


def test_what_was_called_off_is_not_tried_again() -> None:
    delivery = end_of(claimed({**queued(), "called_off": CANCELLED}, FONNTE), FAILED, FailureClass.TRANSPORT)
    assert (delivery["status"], delivery["reason"]) == ("cancelled", "its notification was cancelled")
    assert not {"lane", "wake_at"} & delivery.keys()


def test_what_was_called_off_and_may_have_arrived_is_unknown() -> None:
    delivery = end_of(claimed({**queued(unknown_wait_seconds=0.0), "called_off": CANCELLED}, FONNTE), UNKNOWN)
    assert (delivery["status"], delivery["code"]) == ("unknown", "UNKNOWN")
    assert delivery["possible_duplicate"] is False


def called_off_while_unknown() -> DeliveryDocument:
    """As cancelling leaves one that waited for its turn with an attempt nobody can tell the outcome of."""
    waiting = end_of(claimed(queued(unknown_wait_seconds=0.0), FONNTE), UNKNOWN)
    ended: DeliveryDocument = {**waiting, "status": "unknown", "called_off": "cancelled by tester"}
    del ended["lane"], ended["wake_at"]
    return ended


@pytest.mark.parametrize("state", [FAILED, MISSED])
def test_what_was_cancelled_is_not_sent_when_its_attempt_turns_out_never_to_have_arrived(state: AttemptState) -> None:
    delivery = called_off_while_unknown()
    word = told(claimed(queued(), FONNTE), state, at=120)
    delivery = applied(delivery, decide(delivery, word, situation(at=120)))
    assert (delivery["status"], delivery["code"], delivery["reason"]) == ("cancelled", None, "cancelled by tester")
    assert not {"lane", "wake_at"} & delivery.keys()
    assert delivery["possible_duplicate"] is False


def test_who_opted_out_meanwhile_is_shown_as_suppressed_once_nothing_turns_out_to_have_arrived() -> None:
    delivery: DeliveryDocument = {**called_off_while_unknown(), "called_off": "opted out", "called_off_code": OPTED_OUT}
    word = told(claimed(queued(), FONNTE), FAILED, at=120)
    delivery = applied(delivery, decide(delivery, word, situation(at=120)))
    assert (delivery["status"], delivery["code"], delivery["reason"]) == ("suppressed", "SUPPRESSED", "opted out")


def test_what_was_called_off_while_it_waited_for_proof_ends_as_what_the_proof_says() -> None:
    first = claimed(queued(unknown_wait_seconds=60.0), FONNTE)
    waiting: DeliveryDocument = {**end_of(first, UNKNOWN), "called_off": CANCELLED}
    refused = applied(waiting, decide(waiting, told(first, FAILED, at=5), situation(at=5)))
    assert (refused["status"], refused["code"], refused["retries"]) == ("cancelled", None, 0)
    unproven = applied(waiting, wake(waiting, situation(at=61)))
    assert (unproven["status"], unproven["code"], unproven["possible_duplicate"]) == ("unknown", "UNKNOWN", False)


def test_proof_that_comes_while_it_waits_for_its_hours_is_not_slept_over() -> None:
    first = claimed(queued(unknown_wait_seconds=0.0), FONNTE)
    put_off: DeliveryDocument = {**end_of(first, UNKNOWN), "status": "scheduled", "wake_at": after(36_000)}
    del put_off["lane"]
    sent = applied(put_off, decide(put_off, told(first, SUCCEEDED, at=120), situation(at=120)))
    assert (sent["status"], sent["possible_duplicate"], "wake_at" in sent) == ("sent", False, False)
