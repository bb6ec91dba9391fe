"""When a sender is taken out, probed and brought back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.contracts.documents import GATEWAY_FORGOTTEN_SECONDS, GATEWAY_SILENT_SECONDS, Circuit, SenderDocument
from common.contracts.vocabulary import AttemptState, CircuitState, FailureClass

FAILURES_IN_ROW = 5
RECENT_CALLS = 20
RECENT_SPAN = timedelta(seconds=60)
FIRST_PROBE = timedelta(seconds=30)
LAST_PROBE = timedelta(minutes=10)
MOST_DOUBLINGS = 10
"""More would only make the number too large to be a time."""
ANSWER_LAG = timedelta(seconds=60)
"""For so long after a refusal a provider may still answer that the device is connected."""
PROBE_SPAN = timedelta(seconds=60)
"""How long a probe may stay unanswered before another one is made."""

AT_ONCE = frozenset({FailureClass.AUTH, FailureClass.QUOTA, FailureClass.DISCONNECTED})
COUNTED = frozenset({FailureClass.TRANSPORT, FailureClass.UNCLASSIFIED})
ABOUT_THE_MESSAGE = frozenset({FailureClass.RECIPIENT, FailureClass.MESSAGE, FailureClass.BUG})
"""A refusal of what was asked is an answer: the sender works."""


@dataclass(frozen=True)
class Result:
    """What one call says about its sender."""

    at: datetime
    started_at: datetime | None
    state: AttemptState
    failure: FailureClass | None
    error: str | None = None


def closed() -> Circuit:
    return Circuit(
        state=CircuitState.CLOSED,
        reason=None,
        opened_at=None,
        retry_at=None,
        openings=0,
        failures_in_row=0,
        recent=[],
        revision=0,
    )


def after(circuit: Circuit, results: Iterable[Result]) -> Circuit:
    """The circuit after some calls; the same object when they say nothing new."""
    for result in results:
        circuit = _after_one(circuit, result)
    return circuit


def says_nothing_new(circuit: Circuit | None, result: Result) -> bool:
    """Whether one more good call among as many good ones as count, lately, is worth no write."""
    if circuit is None or circuit["state"] != CircuitState.CLOSED or result.state is not AttemptState.SUCCEEDED:
        return False
    recent = circuit["recent"]
    since = result.at - RECENT_SPAN / 2
    return len(recent) == RECENT_CALLS and all(
        call["ok"] and isinstance(call["at"], datetime) and call["at"] > since for call in recent
    )


def reported_away(
    circuit: Circuit, at: datetime, reason: str, failure: FailureClass = FailureClass.DISCONNECTED
) -> Circuit:
    """The provider says that the device is disconnected, or does not let the sender in; the same object when a call
    or the circuit knows better.
    """
    worked_since = any(
        call["ok"] and isinstance(call["at"], datetime) and call["at"] > at for call in circuit["recent"]
    )
    known = circuit["state"] != CircuitState.CLOSED and circuit["opened_at"] is not None and circuit["opened_at"] >= at
    if worked_since or known or ("back_at" in circuit and circuit["back_at"] > at):
        return circuit
    return _opened(circuit, Result(at, at, AttemptState.FAILED, failure, reason))


def answered_back(circuit: Circuit, at: datetime) -> Circuit:
    """The provider says, being asked, that the device is connected, which lags behind what sending meets."""
    opened_at = circuit["opened_at"]
    if circuit["state"] == CircuitState.CLOSED or (opened_at is not None and at - opened_at < ANSWER_LAG):
        return circuit
    return reported_back(circuit, at)


def reported_back(circuit: Circuit, at: datetime) -> Circuit:
    """The provider says that the device is connected again: the next delivery may try, whatever else was wrong."""
    opened_since = circuit["opened_at"] is not None and circuit["opened_at"] > at
    if opened_since or ("back_at" in circuit and circuit["back_at"] >= at):
        return circuit
    waits = circuit["state"] == CircuitState.OPEN and circuit["retry_at"] is not None and circuit["retry_at"] > at
    return {**circuit, "back_at": at, "retry_at": at if waits else circuit["retry_at"]}


def probing(circuit: Circuit, now: datetime) -> Circuit:
    """Half-open: one call may try whether the sender is back."""
    return {**circuit, "state": CircuitState.HALF_OPEN, "retry_at": now + PROBE_SPAN}


def not_probed(circuit: Circuit, now: datetime) -> Circuit:
    """Nothing was found to probe with: the next delivery may."""
    return {**circuit, "retry_at": now}


def probe_due(sender: SenderDocument, now: datetime) -> bool:
    """Whether a sender that is out by its circuit may be tried with one call."""
    circuit = sender.get("circuit")
    if circuit is None or circuit["state"] == CircuitState.CLOSED or not _takes_part(sender, now):
        return False
    return circuit["retry_at"] is not None and circuit["retry_at"] <= now


def available(sender: SenderDocument, now: datetime) -> bool:
    """Whether a sender may be given work: its gateway lives, nobody paused it, its circuit is closed."""
    circuit = sender.get("circuit")
    return _takes_part(sender, now) and (circuit is None or circuit["state"] == CircuitState.CLOSED)


def forgotten(sender: SenderDocument, now: datetime) -> bool:
    """Whether it is none any more: whoever took its token away did so without a word."""
    return now - sender["gateway_seen_at"] >= timedelta(seconds=GATEWAY_FORGOTTEN_SECONDS)


def _takes_part(sender: SenderDocument, now: datetime) -> bool:
    return not sender.get("paused") and now - sender["gateway_seen_at"] < timedelta(seconds=GATEWAY_SILENT_SECONDS)


def _after_one(circuit: Circuit, result: Result) -> Circuit:
    if circuit["state"] != CircuitState.CLOSED and _from_before(circuit, result):
        return circuit
    if result.state is AttemptState.SUCCEEDED or result.failure in ABOUT_THE_MESSAGE:
        return _after_answer(circuit, result)
    if result.state is AttemptState.UNKNOWN or result.failure in COUNTED:
        return _after_failure(circuit, result)
    if result.failure in AT_ONCE:
        return _opened(circuit, result)
    return circuit


def _from_before(circuit: Circuit, result: Result) -> bool:
    """Whether the call was under way before the sender went out, and so proves nothing about now."""
    opened_at = circuit["opened_at"]
    return opened_at is not None and (result.started_at is None or result.started_at < opened_at)


def _after_answer(circuit: Circuit, result: Result) -> Circuit:
    if circuit["state"] != CircuitState.CLOSED:
        return {**closed(), "revision": circuit["revision"], "back_at": result.at}
    if says_nothing_new(circuit, result):
        return circuit
    return {**circuit, "failures_in_row": 0, "recent": _recent(circuit, result, ok=True)}


def _after_failure(circuit: Circuit, result: Result) -> Circuit:
    if circuit["state"] == CircuitState.OPEN:
        return circuit
    if circuit["state"] == CircuitState.HALF_OPEN:
        return _opened(circuit, result)
    counted: Circuit = {
        **circuit,
        "failures_in_row": circuit["failures_in_row"] + 1,
        "recent": _recent(circuit, result, ok=False),
    }
    recent = counted["recent"]
    half_failed = len(recent) >= RECENT_CALLS and 2 * sum(not call["ok"] for call in recent) >= len(recent)
    if counted["failures_in_row"] >= FAILURES_IN_ROW or half_failed:
        return _opened(counted, result)
    return counted


def _opened(circuit: Circuit, result: Result) -> Circuit:
    if circuit["state"] == CircuitState.OPEN:
        return circuit
    pause = min(FIRST_PROBE * 2 ** min(circuit["openings"], MOST_DOUBLINGS), LAST_PROBE)
    return {
        **circuit,
        "state": CircuitState.OPEN,
        "reason": result.error or (result.failure or result.state),
        "failure": result.failure,
        "opened_at": result.at,
        "retry_at": result.at + pause,
        "openings": circuit["openings"] + 1,
        "recent": [],
    }


def _recent(circuit: Circuit, result: Result, *, ok: bool) -> list[dict[str, object]]:
    calls = [*circuit["recent"], {"at": result.at, "ok": ok}]
    since = result.at - RECENT_SPAN
    return [call for call in calls if isinstance(call["at"], datetime) and call["at"] > since][-RECENT_CALLS:]
