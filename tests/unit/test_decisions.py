"""What becomes of a delivery: each kind of failure at each place in the route, whatever providers can be used."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from common.contracts.documents import DeliveryDocument
from common.contracts.events import AttemptOutcome
from common.contracts.vocabulary import AttemptState, DeliveryStatus, FailureClass
from common.mongo.personal import CONTENTS_REMOVED
from dispatcher.domain.attempts import willing
from dispatcher.domain.change import Change
from dispatcher.domain.decisions import decide, wake
from tests.support.dispatching.model import FONNTE, WABLAS, after, applied, claimed, end_of, queued, situation, told

FAILED, UNKNOWN, SUCCEEDED, MISSED = (
    AttemptState.FAILED,
    AttemptState.UNKNOWN,
    AttemptState.SUCCEEDED,
    AttemptState.MISSED,
)
PASSING = (
    FailureClass.TRANSPORT,
    FailureClass.UNCLASSIFIED,
    FailureClass.DISCONNECTED,
    FailureClass.QUOTA,
    FailureClass.AUTH,
)
BOTH, NONE = (FONNTE, WABLAS), ()


def round_of_failures(delivery: DeliveryDocument, failure: FailureClass = FailureClass.TRANSPORT) -> DeliveryDocument:
    for provider in BOTH:
        delivery = end_of(claimed(delivery, provider), FAILED, failure)
    return delivery


def waits(change: Change | None) -> timedelta | None:
    assert change is not None
    assert change.status is DeliveryStatus.QUEUED
    return None if change.lane else (change.wake_at or after(0)) - after(1)


@pytest.mark.parametrize(("failure", "usable"), list(product(PASSING, [BOTH, (WABLAS,)])))
def test_a_failure_of_the_first_provider_goes_to_the_second_at_once(
    failure: FailureClass, usable: tuple[str, ...]
) -> None:
    delivery = claimed(queued(), FONNTE)
    change = decide(delivery, told(delivery, FAILED, failure), situation(usable, at=1))
    assert change is not None
    assert (change.status, change.lane) == (DeliveryStatus.QUEUED, WABLAS)
    assert applied(delivery, change)["retries"] == 0


def test_what_the_rest_of_its_round_does_not_serve_is_offered_to_all_again_and_uses_no_retry() -> None:
    once_failed = end_of(claimed(queued(), FONNTE), FAILED)
    assert (once_failed["lane"], once_failed["wake_at"]) == (WABLAS, after(30))
    again = applied(once_failed, wake(once_failed, situation((FONNTE,), at=30)))
    assert (again["lane"], again["wake_at"], again["retries"]) == ("fonnte,wablas", again["expires_at"], 0)
    failed_again = end_of(claimed(again, FONNTE), FAILED)
    assert failed_again["lane"] == WABLAS


def test_what_no_other_provider_takes_waits_in_its_lane_until_it_expires() -> None:
    refused = end_of(claimed(queued(), FONNTE), FAILED, FailureClass.BUG)
    assert (refused["lane"], refused["wake_at"]) == (WABLAS, refused["expires_at"])
    soon = end_of(claimed(queued(validity=10.0), FONNTE), FAILED)
    assert soon["wake_at"] == after(10)
    assert applied(soon, wake(soon, situation(at=10)))["status"] == "expired"


def test_a_provider_that_waits_for_a_probe_is_failed_over_to_with_one_delivery() -> None:
    due = replace(situation((FONNTE,), at=1), probed=frozenset({WABLAS}))
    delivery = claimed(queued(), FONNTE)
    probe = decide(delivery, told(delivery, FAILED), due)
    assert probe is not None
    assert probe.lane == WABLAS
    assert waits(decide(delivery, told(delivery, FAILED), due.following(probe))) == timedelta(seconds=2)


@pytest.mark.parametrize("failure", PASSING)
def test_a_failure_of_the_last_provider_waits_for_the_next_round(failure: FailureClass) -> None:
    delivery = claimed(end_of(claimed(queued(), FONNTE), FAILED), WABLAS)
    change = decide(delivery, told(delivery, FAILED, failure), situation(BOTH, at=1))
    assert waits(change) == timedelta(seconds=2)
    assert applied(delivery, change)["retries"] == 1


@pytest.mark.parametrize(("failure", "first"), list(product(PASSING, BOTH)))
def test_while_no_provider_can_be_used_it_waits_in_the_lane_of_all_and_uses_no_retry(
    failure: FailureClass, first: str
) -> None:
    delivery = claimed(queued(), first)
    for _ in range(20):
        change = decide(delivery, told(delivery, FAILED, failure), situation(NONE, at=1))
        after_it = applied(delivery, change)
        assert (after_it["status"], after_it["lane"], after_it["retries"]) == ("queued", "fonnte,wablas", 0)
        delivery = claimed(after_it, first)


@pytest.mark.parametrize("failure", PASSING)
def test_when_only_the_failing_provider_can_be_used_its_failure_ends_the_round(failure: FailureClass) -> None:
    delivery = claimed(queued(), FONNTE)
    change = decide(delivery, told(delivery, FAILED, failure), situation((FONNTE,), at=1))
    assert waits(change) == timedelta(seconds=2)


@pytest.mark.parametrize(
    ("failure", "provider", "usable"),
    list(product([FailureClass.RECIPIENT, FailureClass.MESSAGE], BOTH, [BOTH, (WABLAS,), NONE])),
)
def test_what_no_provider_can_mend_is_never_tried_again(
    failure: FailureClass, provider: str, usable: tuple[str, ...]
) -> None:
    delivery = claimed(queued(), provider)
    dead = applied(delivery, decide(delivery, told(delivery, FAILED, failure), situation(usable, at=1)))
    assert dead["status"] == DeliveryStatus.FAILED
    assert dead["code"] == ("INVALID_PHONE" if failure is FailureClass.RECIPIENT else "REFUSED")
    assert "said no" in (dead["reason"] or "")
    assert not {"lane", "wake_at"} & dead.keys()


def test_a_request_a_provider_refuses_for_good_goes_to_the_other_and_never_back() -> None:
    delivery = end_of(claimed(queued(), FONNTE), FAILED, FailureClass.BUG)
    assert delivery["lane"] == WABLAS
    delivery = end_of(claimed(delivery, WABLAS), FAILED)
    assert delivery["retries"] == 1
    again = applied(delivery, wake(delivery, situation(at=10)))
    assert again["lane"] == WABLAS


def test_a_request_every_provider_refuses_for_good_is_dead_at_once() -> None:
    delivery = round_of_failures(queued(), FailureClass.BUG)
    assert (delivery["status"], delivery["code"], delivery["retries"]) == ("failed", "REFUSED", 0)


def test_a_request_one_provider_refuses_for_good_waits_for_the_other_that_is_out() -> None:
    delivery = claimed(queued(), FONNTE)
    change = decide(delivery, told(delivery, FAILED, FailureClass.BUG), situation((FONNTE,), at=1))
    assert change is not None
    assert (change.status, change.lane, change.fields.get("retries")) == (DeliveryStatus.QUEUED, WABLAS, None)


def test_lined_up_again_by_a_person_every_provider_is_asked_once_more() -> None:
    dead = round_of_failures(queued(), FailureClass.BUG)
    again: DeliveryDocument = {**dead, "status": DeliveryStatus.QUEUED, "lane": "fonnte,wablas"}
    again |= {"queued_at": after(100), "retried_at": after(100), "round_from": dead["attempts_made"]}
    delivery = claimed(again, FONNTE, at=101)
    change = decide(delivery, told(delivery, FAILED, at=102), situation(at=102))
    assert change is not None
    assert (change.status, change.lane) == (DeliveryStatus.QUEUED, WABLAS)


def test_a_provider_that_refused_is_not_asked_again_because_a_night_moved_the_place_in_line() -> None:
    refused = end_of(claimed(queued(), FONNTE), FAILED, FailureClass.BUG)
    delivery = claimed({**refused, "queued_at": after(100)}, WABLAS, at=101)
    change = decide(delivery, told(delivery, FAILED, at=102), situation(at=102))
    assert change is not None
    assert FONNTE not in (change.lane or "")
    assert FONNTE not in willing({**refused, "queued_at": after(100)})


def test_rounds_follow_after_two_four_eight_seconds_then_five_minutes_then_it_is_dead() -> None:
    delivery = queued()
    pauses = []
    for _ in range(4):
        delivery = claimed(end_of(claimed(delivery, FONNTE), FAILED), WABLAS)
        change = decide(delivery, told(delivery, FAILED), situation(at=1))
        pauses.append(waits(change))
        waiting = applied(delivery, change)
        delivery = applied(waiting, wake(waiting, situation(at=400)))
        assert delivery["lane"] == "fonnte,wablas"
    assert pauses == [timedelta(seconds=seconds) for seconds in (2, 4, 8, 300)]
    dead = round_of_failures(delivery)
    assert (dead["status"], dead["code"], len(dead["attempts"])) == ("failed", "RETRY_FAILED", 10)
    assert [attempt["error"] for attempt in dead["attempts"][-2:]] == ["fonnte said no", "wablas said no"]
    assert not {"lane", "wake_at"} & dead.keys()


def on_its_last_attempt(failure: FailureClass) -> DeliveryDocument:
    delivery: DeliveryDocument = {**queued(), "retries": 4}
    return claimed(end_of(claimed(delivery, FONNTE), FAILED, failure), WABLAS)


@pytest.mark.parametrize("usable", [BOTH, (FONNTE,), NONE])
@pytest.mark.parametrize("failure", [FailureClass.TRANSPORT, FailureClass.UNCLASSIFIED])
def test_after_its_last_round_it_is_dead_whether_or_not_its_failures_have_put_the_providers_out(
    failure: FailureClass, usable: tuple[str, ...]
) -> None:
    delivery = on_its_last_attempt(failure)
    dead = applied(delivery, decide(delivery, told(delivery, FAILED, failure), situation(usable, at=1)))
    assert (dead["status"], dead["code"]) == ("failed", "RETRY_FAILED")


@pytest.mark.parametrize("failure", [FailureClass.DISCONNECTED, FailureClass.QUOTA, FailureClass.AUTH])
def test_a_last_round_of_providers_that_refuse_everybody_proves_nothing_and_is_waited_out(
    failure: FailureClass,
) -> None:
    delivery = on_its_last_attempt(failure)
    waiting = applied(delivery, decide(delivery, told(delivery, FAILED, failure), situation(NONE, at=1)))
    assert (waiting["status"], waiting["lane"], waiting["retries"]) == ("queued", "fonnte,wablas", 4)


@pytest.mark.parametrize("provider", BOTH)
def test_a_success_says_when_by_whom_and_whether_it_failed_over(provider: str) -> None:
    sent = end_of(claimed(queued(), provider), SUCCEEDED)
    assert (sent["status"], sent["sent_at"], sent["failover"]) == ("sent", after(1), provider == WABLAS)
    assert (sent["reason"], sent["code"], sent["possible_duplicate"]) == (None, None, False)
    assert not {"lane", "wake_at"} & sent.keys()


def test_a_missed_attempt_costs_nothing() -> None:
    delivery = end_of(claimed(queued(), FONNTE), MISSED)
    assert (delivery["status"], delivery["lane"], delivery["retries"]) == ("queued", "fonnte,wablas", 0)
    once_failed = end_of(claimed(end_of(claimed(queued(), FONNTE), FAILED), WABLAS), MISSED)
    assert (once_failed["lane"], once_failed["retries"]) == (WABLAS, 0)


def test_a_gateway_that_is_always_late_is_passed_over_after_three_times() -> None:
    delivery = queued()
    for _ in range(2):
        delivery = end_of(claimed(delivery, FONNTE), MISSED)
        assert delivery["lane"] == "fonnte,wablas"
    delivery = end_of(claimed(delivery, FONNTE), MISSED)
    assert (delivery["lane"], delivery["retries"]) == (WABLAS, 0)


def test_when_every_gateway_is_always_late_it_waits_a_moment_and_uses_no_retry() -> None:
    delivery = queued()
    for provider in (*[FONNTE] * 3, *[WABLAS] * 3):
        delivery = end_of(claimed(delivery, provider), MISSED)
    assert (delivery["status"], delivery.get("lane"), delivery["retries"]) == ("queued", None, 0)
    assert delivery["wake_at"] == after(1)


def test_attempts_that_were_never_calls_do_not_pile_up() -> None:
    delivery = end_of(claimed(queued(), FONNTE), FAILED)
    for _ in range(200):
        delivery = end_of(claimed(delivery, WABLAS), MISSED)
    kept = [attempt["number"] for attempt in delivery["attempts"]]
    assert kept == [1, *range(182, 202)]


def test_an_attempt_nobody_took_is_revoked_and_the_next_provider_chosen() -> None:
    delivery = claimed(queued(), FONNTE, started=False)
    revoked = applied(delivery, wake(delivery, situation(at=3)))
    assert (revoked["lane"], revoked["attempts"][0]["outcome"], revoked["retries"]) == (WABLAS, "revoked", 0)


def test_when_no_gateway_takes_an_attempt_it_waits_a_moment_and_uses_no_retry() -> None:
    delivery = queued()
    for _ in range(10):
        for provider in BOTH:
            delivery = claimed(delivery, provider, started=False)
            delivery = applied(delivery, wake(delivery, situation(at=3)))
        assert (delivery["status"], delivery["retries"], delivery.get("wake_at")) == ("queued", 0, after(4))
        delivery = applied(delivery, wake(delivery, situation(at=5)))


def test_an_outcome_told_again_changes_nothing() -> None:
    delivery = claimed(queued(), FONNTE)
    for state in (FAILED, SUCCEEDED, UNKNOWN, MISSED):
        outcome = told(delivery, state)
        settled = applied(delivery, decide(delivery, outcome, situation(at=1)))
        assert decide(settled, outcome, situation(at=2)) is None
        assert decide(claimed(settled, WABLAS), outcome, situation(at=3)) is None


def test_another_claims_outcome_is_not_this_attempts() -> None:
    delivery = claimed(queued(), FONNTE)
    stranger = told(delivery, SUCCEEDED).model_copy(update={"claim": "claim-of-another"})
    assert decide(delivery, stranger, situation(at=1)) is None


def test_word_about_a_failed_or_revoked_attempt_changes_nothing() -> None:
    delivery = claimed(queued(), FONNTE, started=False)
    late = told(delivery, SUCCEEDED)
    revoked = applied(delivery, wake(delivery, situation(at=3)))
    assert decide(revoked, late, situation(at=4)) is None


class TestValidity:
    def test_what_waits_beyond_it_expires(self) -> None:
        delivery = queued(validity=300.0)
        expired = applied(delivery, wake(delivery, situation(at=300)))
        assert (expired["status"], expired["reason"]) == ("expired", "validity ended")
        assert not {"lane", "wake_at"} & expired.keys()

    @pytest.mark.parametrize("state", [FAILED, MISSED])
    def test_nothing_is_sent_again_after_it(self, state: AttemptState) -> None:
        delivery = claimed(queued(validity=300.0), FONNTE)
        assert applied(delivery, decide(delivery, told(delivery, state), situation(at=300)))["status"] == "expired"

    def test_a_wait_ends_with_it(self) -> None:
        delivery = round_of_failures(queued(validity=2.5))
        assert delivery["wake_at"] == after(2)
        delivery = round_of_failures(applied(delivery, wake(delivery, situation(at=2))))
        assert delivery["wake_at"] == after(2.5)

    def test_a_revoked_attempt_beyond_it_expires(self) -> None:
        delivery = claimed(queued(validity=2.0), FONNTE, started=False)
        assert applied(delivery, wake(delivery, situation(at=3)))["status"] == "expired"

    def test_beyond_it_an_unknown_outcome_is_not_called_expired(self) -> None:
        delivery = end_of(claimed(queued(validity=30.0, unknown_wait_seconds=0.0), FONNTE), UNKNOWN)
        assert delivery["status"] == "queued"
        assert applied(delivery, wake(delivery, situation(at=31)))["status"] == "unknown"


def test_a_scheduled_delivery_lines_up_when_its_time_has_come() -> None:
    delivery = queued(send_at=after(60))
    assert (delivery["status"], delivery["wake_at"], delivery["queued_at"]) == ("scheduled", after(60), after(60))
    assert "lane" not in delivery
    due = applied(delivery, wake(delivery, situation(at=60)))
    assert (due["status"], due["lane"]) == ("queued", "fonnte,wablas")


def test_a_delivery_put_aside_within_a_round_carries_on_where_it_was() -> None:
    once_failed = end_of(claimed(queued(), FONNTE), FAILED)
    aside = applied(once_failed, Change(DeliveryStatus.QUEUED, "the recipient's cap is reached", wake_at=after(60)))
    assert applied(aside, wake(aside, situation(at=60)))["lane"] == WABLAS


@pytest.mark.parametrize("status", ["sent", "failed", "cancelled", "expired", "unknown", "suppressed"])
def test_nobody_wakes_what_has_ended(status: str) -> None:
    assert wake({**queued(), "status": status}, situation()) is None


def resting() -> DeliveryDocument:
    """Fonnte has failed it, and it waits for Wablas."""
    delivery = end_of(claimed(queued(), FONNTE), FAILED)
    assert delivery["lane"] == WABLAS
    return delivery


def test_what_waits_for_the_rest_of_its_round_is_not_called_again_by_those_that_failed_it() -> None:
    delivery = resting()
    looked = 0
    while delivery["wake_at"] < delivery["expires_at"]:
        at = (delivery["wake_at"] - after(0)).total_seconds()
        delivery = applied(delivery, wake(delivery, situation(at=at)))
        assert (delivery["lane"], delivery["retries"], len(delivery["attempts"])) == (WABLAS, 0, 1)
        looked += 1
    assert looked < 200
    ended = wake(delivery, situation(at=86_400))
    assert ended is not None
    assert ended.status is DeliveryStatus.EXPIRED


def test_that_it_waits_on_is_nothing_to_tell() -> None:
    change = wake(resting(), situation(at=31))
    assert change is not None
    assert (change.cause, change.fields, change.keep_attempt) == ("", {}, True)


def test_all_are_asked_again_once_none_of_the_rest_can_take_it() -> None:
    delivery = resting()
    delivery = applied(delivery, wake(delivery, situation((FONNTE,), at=31)))
    assert (delivery["lane"], delivery["retries"], delivery["round_from"]) == ("fonnte,wablas", 0, 1)
    delivery = applied(delivery, decide(*failing_again(delivery), situation((FONNTE,), at=33)))
    assert (delivery["retries"], "lane" in delivery) == (1, False)


def failing_again(delivery: DeliveryDocument) -> tuple[DeliveryDocument, AttemptOutcome]:
    calling = claimed(delivery, FONNTE, at=32)
    return calling, told(calling, FAILED, at=33)


@pytest.mark.parametrize("usable", [BOTH, NONE])
def test_what_waits_for_its_whole_route_waits_until_its_validity_ends(usable: tuple[str, ...]) -> None:
    delivery: DeliveryDocument = {**queued(), "wake_at": after(10)}
    change = wake(delivery, situation(usable, at=10))
    assert change is not None
    assert (change.cause, change.lane, change.wake_at) == ("", "fonnte,wablas", delivery["expires_at"])


def test_what_has_no_contents_any_more_is_never_lined_up_again_whatever_is_told_of_it_later() -> None:
    under_way = claimed(queued(unknown_wait_seconds=0.0, on_unknown="hold"), FONNTE)
    outcome = told(under_way, UNKNOWN)
    held = applied(under_way, decide(under_way, outcome, situation(BOTH, at=1)))
    assert held["status"] == "unknown"
    emptied: DeliveryDocument = {**held, "recipient": "", "message": "", "called_off": CONTENTS_REMOVED}
    late = outcome.model_copy(update={"state": FAILED, "failure": FailureClass.TRANSPORT, "claim": ""})
    change = decide(emptied, late, situation(BOTH, at=2))
    assert change is not None
    assert (change.status, change.fields["reason"], change.lane) == (DeliveryStatus.CANCELLED, CONTENTS_REMOVED, None)
