"""What is wrong, of everything that is looked at: pure rules from what is observed to causes.

A rule says yes, no, or nothing (`wrong` is `None`) where it is too early to tell, or between the figure that raises an
alert and the one that clears it: then everything stays as it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from common.contracts.documents import GATEWAY_FORGOTTEN_SECONDS, Circuit, SenderDocument
from common.contracts.vocabulary import MAIL_PROVIDER, AlertKind, CircuitState, FailureClass

A_MOMENT = timedelta(seconds=5)
"""A device that is back after so long is nobody's trouble."""
OPEN_FOR = timedelta(seconds=60)
"""A circuit that is closed again by then is nobody's trouble; nor is one before its first probe failed."""
CLEARED_BY = 1.5
"""How much better than what raised it a quota must be to clear an alert."""
FORGOTTEN_AFTER = timedelta(seconds=GATEWAY_FORGOTTEN_SECONDS)
GRACE = timedelta(minutes=10)
"""So much later than its time a job may be done."""
_OF_THEIR_OWN = frozenset({FailureClass.DISCONNECTED, FailureClass.QUOTA})
"""Why a WhatsApp sender may be out that is a cause of its own."""


@dataclass(frozen=True)
class Thresholds:
    """From when on something is wrong; 0 is off. `quota_share` is of what there was after the last top-up,
    `quota_messages` counts where that is not known. The others count what happened in an hour.
    """

    quota_share: float = 0.1
    quota_messages: int = 100
    dead_an_hour: int = 20
    parked_an_hour: int = 5


@dataclass(frozen=True)
class ObservedJob:
    """`expected_at`: when it was due first after it was last done, on schedule or by hand; `running`: somebody is at
    it.
    """

    name: str
    expected_at: datetime | None
    watched_since: datetime
    running: bool = False


@dataclass(frozen=True)
class Observed:
    """Everything that is looked at, as of one moment; what was counted is of the last hour, and counted no further than
    needed.
    """

    senders: tuple[SenderDocument, ...] = ()
    jobs: tuple[ObservedJob, ...] = ()
    dead: int = 0
    parked: int = 0


@dataclass(frozen=True)
class Finding:
    """`cause` is the same for whoever observes it. `facts` are what people are told with."""

    cause: str
    kind: AlertKind
    about: str | None
    wrong: bool | None
    summary: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def findings(observed: Observed, thresholds: Thresholds, now: datetime) -> list[Finding]:
    """One of every cause there can be; what is not among them any more is over."""
    found: list[Finding] = []
    for sender in observed.senders:
        if now - sender["gateway_seen_at"] < FORGOTTEN_AFTER:
            found.append(of_circuit(sender, now))
            if sender["provider"] != MAIL_PROVIDER:
                found += [of_device(sender, now), of_quota(sender, thresholds)]
    found += [of_job(job, now) for job in observed.jobs]
    found += _of_counts(observed, thresholds)
    return found


def of_device(sender: SenderDocument, now: datetime) -> Finding:
    """A webhook, a refused message and a check all reach the sender's circuit; so this is their one cause."""
    circuit = sender.get("circuit")
    opened_at = circuit["opened_at"] if circuit else None
    wrong: bool | None = False
    if circuit is not None and opened_at is not None and _out_for(circuit) is FailureClass.DISCONNECTED:
        back_at = circuit.get("back_at")
        if back_at is None or back_at < opened_at:
            lasting = circuit["openings"] > 1 or now - opened_at >= A_MOMENT
            wrong = True if lasting else None
    reason = _reason(circuit)
    return _of_sender(AlertKind.DEVICE, sender, f"its device cannot send: {reason}", wrong=wrong, reason=reason)


def of_circuit(sender: SenderDocument, now: datetime) -> Finding:
    """A sender that is out for another reason than its device or its quota, and not only for a moment."""
    circuit = sender.get("circuit")
    wrong: bool | None = False
    others = frozenset() if sender["provider"] == MAIL_PROVIDER else _OF_THEIR_OWN
    if _is_out(circuit) and circuit["opened_at"] is not None and _out_for(circuit) not in others:
        lasting = circuit["openings"] > 1 or now - circuit["opened_at"] >= OPEN_FOR
        wrong = True if lasting else None
    reason = _reason(circuit)
    return _of_sender(AlertKind.CIRCUIT, sender, f"its circuit stays open: {reason}", wrong=wrong, reason=reason)


def of_quota(sender: SenderDocument, thresholds: Thresholds) -> Finding:
    """A quota that is nearly used up by what its provider tells, or that is used up by what it refuses."""
    remaining, total = sender.get("quota_remaining"), sender.get("quota_total")
    circuit = sender.get("circuit")
    if circuit is not None and _out_for(circuit) is FailureClass.QUOTA:
        opened_at, told_at = circuit["opened_at"], sender.get("quota_at")
        if told_at is None or (opened_at is not None and told_at <= opened_at):
            remaining = 0
    low = thresholds.quota_messages if total is None else thresholds.quota_share * total
    if remaining is None or (low <= 0 and remaining > 0):
        wrong: bool | None = False
    elif remaining < low or remaining == 0:
        wrong = True
    else:
        wrong = None if remaining < CLEARED_BY * low else False
    summary = f"{remaining} messages are left of its quota" + (f" of {total}" if total else "")
    facts = {"remaining": remaining or 0} | ({} if total is None else {"total": total})
    return _of_sender(AlertKind.QUOTA, sender, summary, wrong=wrong, **facts)


def of_job(job: ObservedJob, now: datetime) -> Finding:
    """A job that was not done in time after its schedule, nor after that."""
    late = job.expected_at is not None and now - max(job.expected_at, job.watched_since) > GRACE
    wrong = None if late and job.running else late
    expected = f"{job.expected_at:%Y-%m-%d %H:%M} UTC" if job.expected_at else ""
    facts = {"expected_at": job.expected_at}
    return Finding(f"job:{job.name}", AlertKind.JOB, job.name, wrong, f"not done since it was due at {expected}", facts)


def _of_counts(observed: Observed, thresholds: Thresholds) -> Iterable[Finding]:
    counted = (
        (AlertKind.DEAD_DELIVERIES, observed.dead, thresholds.dead_an_hour, "deliveries died"),
        (AlertKind.PARKED_ENVELOPES, observed.parked, thresholds.parked_an_hour, "envelopes were parked"),
    )
    for kind, count, most, what in counted:
        if most:
            wrong = True if count > most else None if count > most // 2 else False
            yield Finding(kind, kind, None, wrong, f"more than {most} {what} within an hour", {"most": most})


def _of_sender(kind: AlertKind, sender: SenderDocument, summary: str, *, wrong: bool | None, **facts: Any) -> Finding:
    identity = sender["_id"]
    told = {"provider": sender["provider"], **facts}
    return Finding(f"{kind}:{identity}", kind, identity, wrong, f"{identity}: {summary}", told)


def _is_out(circuit: Circuit | None) -> TypeGuard[Circuit]:
    return circuit is not None and circuit["state"] != CircuitState.CLOSED


def _out_for(circuit: Circuit) -> FailureClass | None:
    """Why a sender is out; `None` when it is not, or when nobody could tell."""
    failure = circuit.get("failure")
    return FailureClass(failure) if failure and _is_out(circuit) else None


def _reason(circuit: Circuit | None) -> str:
    return (circuit["reason"] if circuit else None) or "no reason was given"
