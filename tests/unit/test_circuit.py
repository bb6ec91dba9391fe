"""When a sender is taken out, probed and brought back."""

import random
from datetime import timedelta

import pytest

from common.contracts.documents import Circuit, SenderDocument
from common.contracts.vocabulary import AttemptState, CircuitState, FailureClass
from dispatcher.domain import circuit
from dispatcher.domain.circuit import Result
from tests.support.dispatching.model import after

OPEN, HALF_OPEN, CLOSED = CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED
AT_ONCE = [FailureClass.AUTH, FailureClass.QUOTA, FailureClass.DISCONNECTED]
COUNTED = [FailureClass.TRANSPORT, FailureClass.UNCLASSIFIED]
ABOUT_THE_MESSAGE = [FailureClass.RECIPIENT, FailureClass.MESSAGE, FailureClass.BUG]


def success(at: float, *, started: float | None = None) -> Result:
    return Result(after(at), after(at - 0.2 if started is None else started), AttemptState.SUCCEEDED, None)


def failure(at: float, kind: FailureClass | None = FailureClass.TRANSPORT, *, started: float | None = None) -> Result:
    state = AttemptState.FAILED if kind else AttemptState.UNKNOWN
    return Result(after(at), after(at - 0.2 if started is None else started), state, kind)


def opened(at: float = 0.0) -> Circuit:
    return circuit.after(circuit.closed(), [failure(at, FailureClass.AUTH)])


def sender(state: Circuit | None, *, seen_at: float = 0.0, paused: bool = False) -> SenderDocument:
    document: SenderDocument = {
        "_id": "fonnte-1",
        "provider": "fonnte",
        "max_text_chars": 60_000,
        "gateway_seen_at": after(seen_at),
        "paused": paused,
    }
    return {**document, "circuit": state} if state else document


@pytest.mark.parametrize("kind", AT_ONCE)
def test_a_sender_that_cannot_work_is_taken_out_at_once(kind: FailureClass) -> None:
    found = circuit.after(circuit.closed(), [failure(1, kind)])
    assert (found["state"], found["reason"], found["opened_at"]) == (OPEN, kind, after(1))
    assert found["retry_at"] == after(31)


@pytest.mark.parametrize("kind", [*COUNTED, None])
def test_five_failures_in_a_row_take_it_out_and_four_do_not(kind: FailureClass | None) -> None:
    four = circuit.after(circuit.closed(), [failure(100 * n, kind) for n in range(4)])
    assert four["state"] == CLOSED
    assert circuit.after(four, [failure(400, kind)])["state"] == OPEN


@pytest.mark.parametrize("kind", [*COUNTED, None])
def test_an_answer_between_them_starts_the_row_again(kind: FailureClass | None) -> None:
    results = [failure(n, kind) for n in range(4)] + [success(4)] + [failure(5 + n, kind) for n in range(4)]
    assert circuit.after(circuit.closed(), results)["state"] == CLOSED


@pytest.mark.parametrize("kind", ABOUT_THE_MESSAGE)
def test_a_refused_message_says_nothing_bad_about_the_sender(kind: FailureClass) -> None:
    assert circuit.after(circuit.closed(), [failure(n, kind) for n in range(100)])["state"] == CLOSED


@pytest.mark.parametrize(("every", "state"), [(1.0, OPEN), (3.2, CLOSED)])
def test_half_of_twenty_take_it_out_within_a_minute(every: float, state: CircuitState) -> None:
    results = [failure(n * every) if n % 2 else success(n * every) for n in range(20)]
    found = circuit.closed()
    for result in results[:19]:
        found = circuit.after(found, [result])
    assert found["state"] == CLOSED
    assert circuit.after(found, results[19:])["state"] == state


@pytest.mark.parametrize("seed", range(5))
def test_an_error_rate_of_five_percent_never_takes_it_out(seed: int) -> None:
    chance = random.Random(seed)
    found = circuit.closed()
    for n in range(20_000):
        result = failure(n * 0.5) if chance.random() < 0.05 else success(n * 0.5)
        found = circuit.after(found, [result])
        assert found["state"] == CLOSED


def test_it_is_probed_after_thirty_seconds_doubling_to_ten_minutes() -> None:
    found = opened()
    pauses = []
    for _ in range(100):
        due = found["retry_at"]
        assert due is not None
        assert found["opened_at"] is not None
        pauses.append((due - found["opened_at"]).total_seconds())
        assert not circuit.probe_due(
            sender(found, seen_at=(due - after(0)).total_seconds()), due - timedelta(seconds=1)
        )
        assert circuit.probe_due(sender(found, seen_at=(due - after(0)).total_seconds()), due)
        at = (due - after(0)).total_seconds() + 1
        found = circuit.after(circuit.probing(found, due), [failure(at)])
        assert found["state"] == OPEN
    assert pauses[:7] == [30, 60, 120, 240, 480, 600, 600]
    assert pauses[99] == 600


def test_one_probe_at_a_time() -> None:
    half = circuit.probing(opened(), after(30))
    assert half["state"] == HALF_OPEN
    assert not circuit.probe_due(sender(half, seen_at=31), after(31))
    assert not circuit.available(sender(half, seen_at=31), after(31))
    assert circuit.probe_due(sender(half, seen_at=90), after(90))


def test_a_probe_nothing_was_found_for_may_be_made_again_at_once() -> None:
    unused = circuit.not_probed(circuit.probing(opened(), after(30)), after(30.1))
    assert circuit.probe_due(sender(unused, seen_at=30), after(30.1))


@pytest.mark.parametrize(
    "answer", [success(40, started=39), *(failure(40, kind, started=39) for kind in ABOUT_THE_MESSAGE)]
)
def test_an_answer_to_the_probe_brings_it_back(answer: Result) -> None:
    half = circuit.probing(opened(), after(30))
    back = circuit.after(half, [answer])
    assert (back["state"], back["openings"], back["failures_in_row"], back["recent"]) == (CLOSED, 0, 0, [])
    assert back["revision"] == half["revision"]
    assert circuit.available(sender(back, seen_at=40), after(40))


@pytest.mark.parametrize(
    "late", [success(40, started=-1), failure(40, FailureClass.AUTH, started=-1), failure(40, started=-1)]
)
@pytest.mark.parametrize("probing", [True, False])
def test_word_from_before_it_went_out_changes_nothing(late: Result, *, probing: bool) -> None:
    found = circuit.probing(opened(), after(30)) if probing else opened()
    assert circuit.after(found, [late]) is found


def test_more_failures_while_it_is_out_do_not_keep_it_out_longer() -> None:
    found = opened()
    assert circuit.after(found, [failure(5 + n, FailureClass.AUTH, started=4) for n in range(10)]) is found


def test_a_missed_attempt_says_nothing() -> None:
    found = circuit.closed()
    missed = Result(after(1), None, AttemptState.MISSED, None)
    assert circuit.after(found, [missed]) is found


@pytest.mark.parametrize(
    ("state", "seen_at", "paused", "available"),
    [
        (None, 0.0, False, True),
        (circuit.closed(), 0.0, False, True),
        (circuit.closed(), 0.0, True, False),
        (circuit.closed(), -5.0, False, False),
        (circuit.closed(), -4.9, False, True),
        (opened(-100), 0.0, False, False),
    ],
)
def test_a_sender_is_given_work_while_its_gateway_lives_nobody_paused_it_and_its_circuit_is_closed(
    state: Circuit | None, seen_at: float, *, paused: bool, available: bool
) -> None:
    assert circuit.available(sender(state, seen_at=seen_at, paused=paused), after(0)) is available


@pytest.mark.parametrize(("seen_at", "paused"), [(0.0, True), (-5.0, False)])
def test_a_paused_sender_or_one_without_a_gateway_is_not_probed(seen_at: float, *, paused: bool) -> None:
    assert not circuit.probe_due(sender(opened(-100), seen_at=seen_at, paused=paused), after(0))


def test_a_word_of_its_end_that_comes_late_takes_out_nothing_that_is_back() -> None:
    away = circuit.reported_away(circuit.closed(), after(10), "disconnected")
    assert away["state"] == OPEN
    back = circuit.reported_back(away, after(20))
    assert back["retry_at"] == after(20)
    for known in (back, circuit.reported_back(circuit.closed(), after(20)), circuit.after(away, [success(20)])):
        assert circuit.reported_away(known, after(15), "disconnected") is known
    assert circuit.reported_away(circuit.reported_back(circuit.closed(), after(20)), after(25), "gone")["state"] == OPEN


def test_an_answer_that_the_device_is_connected_counts_once_it_cannot_be_older_than_the_refusal() -> None:
    away = circuit.reported_away(circuit.closed(), after(10), "invalid token", FailureClass.AUTH)
    assert away["failure"] is FailureClass.AUTH
    assert circuit.answered_back(away, after(69)) is away
    assert circuit.answered_back(away, after(70))["back_at"] == after(70)
    assert circuit.answered_back(circuit.closed(), after(70)) == circuit.closed()


def test_a_word_of_its_return_that_comes_late_changes_nothing() -> None:
    back = circuit.reported_back(circuit.closed(), after(20))
    assert circuit.reported_back(back, after(15)) is back
