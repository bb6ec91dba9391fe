"""Deliveries without a database: built as planning leaves them, changed as the adapter would change them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from common.contracts.documents import DeliveryDocument
from common.contracts.events import AttemptOutcome
from common.contracts.vocabulary import AttemptState, DeliveryStatus, FailureClass
from dispatcher.domain.attempts import with_past
from dispatcher.domain.change import Change
from dispatcher.domain.decisions import decide
from dispatcher.domain.hours import departure
from dispatcher.domain.planning import plan_delivery
from dispatcher.domain.retries import RetryPlan
from dispatcher.domain.rounds import Situation
from tests.support.dispatching.notifications import ROUTE, member, notification

START = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Jakarta")
PLAN = RetryPlan(chance=lambda: 0.0)
FONNTE, WABLAS = "fonnte", "wablas"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def situation(usable: tuple[str, ...] = (FONNTE, WABLAS), *, at: float = 0.0, plan: RetryPlan = PLAN) -> Situation:
    return Situation(after(at), usable, plan)


def queued(**changed: Any) -> DeliveryDocument:
    """A delivery as planning leaves it; `route`, `validity` and whatever the notification says can be chosen."""
    route = changed.pop("route", ROUTE)
    accepted = notification(created_at=START, **{"validity": 86_400.0, **changed})
    return plan_delivery(
        accepted, member(1), position=0, text="Halo", template=None, route=list(route), refusal=None,
        departure=departure(accepted, START, ZONE), now=START,
    )  # fmt: skip


def claimed(delivery: DeliveryDocument, provider: str, *, at: float = 0.0, started: bool = True) -> DeliveryDocument:
    """As a dispatcher's claim and a gateway's start leave it."""
    number = delivery["attempts_made"] + 1
    attempt = {
        "number": number,
        "claim": f"claim-{number}",
        "provider": provider,
        "sender": f"{provider}-1",
        "state": AttemptState.STARTED if started else AttemptState.REQUESTED,
        "requested_at": after(at),
        "deadline": after(at + 2.5),
        **({"started_at": after(at)} if started else {}),
    }
    changed: dict[str, Any] = {**delivery, "status": DeliveryStatus.SENDING, "attempt": attempt}
    changed |= {"attempts_made": number, "wake_at": after(at + (60 if started else 2.5))}
    changed.pop("lane", None)
    return cast("DeliveryDocument", changed)


def told(
    delivery: DeliveryDocument,
    state: AttemptState,
    failure: FailureClass | None = None,
    *,
    at: float = 1.0,
    error: str | None = None,
) -> AttemptOutcome:
    """The outcome of the attempt under way."""
    attempt = delivery["attempt"]
    assert attempt is not None
    return AttemptOutcome(
        delivery_id=delivery["_id"],
        number=attempt["number"],
        claim=attempt["claim"],
        sender=attempt["sender"],
        state=state,
        failure=failure or (FailureClass.TRANSPORT if state is AttemptState.FAILED else None),
        error=error or (f"{attempt['provider']} said no" if state is AttemptState.FAILED else None),
        provider_message_id="message-1" if state is AttemptState.SUCCEEDED else None,
        started_at=after(at - 0.5),
        finished_at=after(at),
    )


def applied(delivery: DeliveryDocument, change: Change | None) -> DeliveryDocument:
    """The delivery after a change has been saved."""
    assert change is not None
    changed: dict[str, Any] = {**delivery, "status": change.status, **change.fields}
    waiting: Mapping[str, Any] = {"lane": change.lane, "wake_at": change.wake_at}
    for name, value in waiting.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = value
    attempts: list[Any] = [
        {**attempt, **change.amended} if attempt["number"] == change.amended_number else attempt
        for attempt in delivery["attempts"]
    ]
    assert not (change.past and change.amended_number), "one write cannot end one attempt and amend another"
    changed["attempts"] = with_past(attempts, change.past) if change.past else attempts
    if not change.keep_attempt:
        changed["attempt"] = None
    changed["revision"] = delivery["revision"] + 1
    return cast("DeliveryDocument", changed)


def end_of(delivery: DeliveryDocument, state: AttemptState, failure: FailureClass | None = None) -> DeliveryDocument:
    """The delivery after the attempt under way ended so, with both providers usable."""
    return applied(delivery, decide(delivery, told(delivery, state, failure), situation()))
