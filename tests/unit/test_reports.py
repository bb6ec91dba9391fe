"""Reports in any order, however often, about anything: the delivery tells the furthest of them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from common.contracts.documents import DeliveryDocument
from common.contracts.events import DeliveriesReported, Report, Reported, SenderReported
from common.contracts.vocabulary import AttemptState, DeliveryStatus, FailureClass
from dispatcher.application.apply_reports import ApplyReports, EarlyReport
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.application.hear_of_senders import HearOfSenders
from dispatcher.application.lookout import Lookout
from dispatcher.domain.change import Change
from dispatcher.domain.circuit import closed
from dispatcher.metrics import Metrics
from tests.support.dispatching.memory import DeliveriesInMemory, SendersInMemory, StoppedClock, sender
from tests.support.dispatching.model import FONNTE, PLAN, START, WABLAS, after, applied, claimed, end_of, queued

SUCCEEDED, FAILED, UNKNOWN = AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.UNKNOWN


class EarlyInMemory:
    def __init__(self) -> None:
        self.kept: dict[str, tuple[EarlyReport, datetime]] = {}

    async def keep(self, reports: Sequence[EarlyReport], retry_at: datetime) -> None:
        for one in reports:
            self.kept.setdefault(one.identity, (one, retry_at))

    async def due(self, now: datetime, limit: int) -> list[EarlyReport]:
        return [one for one, retry_at in self.kept.values() if retry_at <= now][:limit]

    async def postpone(self, reports: Iterable[tuple[EarlyReport, datetime]]) -> None:
        for one, retry_at in reports:
            self.kept[one.identity] = (replace(one, tries=one.tries + 1), retry_at)

    async def forget(self, identities: Sequence[str]) -> None:
        for identity in identities:
            self.kept.pop(identity, None)


class Hearing:
    """A dispatcher that hears of deliveries, without a database."""

    def __init__(self, *deliveries: DeliveryDocument) -> None:
        self.clock = StoppedClock()
        self.senders = SendersInMemory([sender("fonnte-1", circuit=closed()), sender("wablas-1")])
        self.deliveries = DeliveriesInMemory(*deliveries)
        lookout = Lookout(self.senders, self.clock, (FONNTE, WABLAS))
        metrics = Metrics(CollectorRegistry())
        self.decide = DecideOutcomes(self.deliveries, self.senders, lookout, PLAN, metrics)
        self.early = EarlyInMemory()
        self.reports = ApplyReports(self.deliveries, self.early, self.decide, metrics)
        self.hear = HearOfSenders(self.decide)

    async def tell(self, *reports: Report, provider: str = FONNTE) -> DeliveryDocument:
        await self.reports(DeliveriesReported(provider=provider, reports=list(reports)))
        return self.deliveries.only

    async def later(self, seconds: float) -> DeliveryDocument:
        self.clock.at += timedelta(seconds=seconds)
        self.senders.documents = [{**one, "gateway_seen_at": self.clock.at} for one in self.senders.documents]
        await self.decide.lookout.renew()
        while await self.reports.retry_early():
            pass
        return self.deliveries.only


def sent() -> DeliveryDocument:
    """Taken by Fonnte as `message-1`."""
    return end_of(claimed(queued(), FONNTE), SUCCEEDED)


def unknown(**changed: Any) -> DeliveryDocument:
    return end_of(claimed(queued(**changed), FONNTE), UNKNOWN)


def report(reported: Reported, *, at: float = 10, **named: Any) -> Report:
    return Report(reported=reported, at=after(at), **(named or {"message_id": "message-1"}))


def by_reference(reported: Reported, delivery: DeliveryDocument, **said: Any) -> Report:
    return report(reported, reference=f"{delivery['_id']}.1", **said)


LINKED = report(Reported.SENT, at=10, message_id="message-1", state_id="3EB0")
DELIVERED = report(Reported.DELIVERED, at=11, state_id="3EB0")
READ = report(Reported.READ, at=12, state_id="3EB0")


@given(st.permutations([LINKED, DELIVERED, READ, LINKED, DELIVERED, READ]), st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_in_whatever_order_and_however_often_it_ends_as_read(told: list[Report], cut: int) -> None:
    async def hear() -> DeliveryDocument:
        hearing = Hearing(sent())
        await hearing.tell(*told[:cut])
        await hearing.tell(*told[cut:])
        for seconds in (2, 4, 8):
            await hearing.later(seconds)
        assert not hearing.early.kept
        return hearing.deliveries.only

    delivery = asyncio.run(hear())
    assert (delivery["status"], delivery["delivered_at"], delivery["read_at"]) == ("read", after(11), after(12))
    assert delivery["attempts"][0]["state_id"] == "3EB0"


STATES = st.sampled_from(list(Reported))


@given(st.lists(STATES, max_size=8))
@settings(max_examples=300, deadline=None)
def test_a_delivery_never_moves_back(told: list[Reported]) -> None:
    stages = {"failed": 0, "sent": 0, "delivered": 1, "read": 2}

    async def hear() -> list[str]:
        hearing = Hearing(sent())
        return [(await hearing.tell(report(one)))["status"] for one in told]

    seen = asyncio.run(hear())
    assert [stages[one] for one in seen] == sorted(stages[one] for one in seen)
    furthest = {Reported.READ: "read", Reported.DELIVERED: "delivered"}
    assert not told or seen[-1] == next(
        (status for one, status in furthest.items() if one in told),
        "failed" if {Reported.FAILED, Reported.NOT_SENT} & set(told) else "sent",
    )


async def test_strangers_are_tried_for_ten_minutes_and_then_forgotten() -> None:
    hearing = Hearing(sent())
    before = hearing.deliveries.only
    await hearing.tell(report(Reported.READ, message_id="of-somebody-else"), report(Reported.READ, reference="x"))
    await hearing.tell(report(Reported.READ), provider=WABLAS)
    assert len(hearing.early.kept) == 3
    for _ in range(20):
        await hearing.later(40)
    assert not hearing.early.kept
    assert hearing.deliveries.only == before


async def test_a_report_that_is_faster_than_the_answer_is_applied_after_it() -> None:
    calling = claimed(queued(), FONNTE)
    hearing = Hearing(calling)
    assert (await hearing.tell(report(Reported.DELIVERED)))["status"] == "sending"
    hearing.deliveries.all[calling["_id"]] = end_of(calling, SUCCEEDED)
    assert (await hearing.later(1))["status"] == "delivered"
    assert not hearing.early.kept


@pytest.mark.parametrize(
    ("failure", "code"),
    [(FailureClass.RECIPIENT, "INVALID_PHONE"), (FailureClass.MESSAGE, "REFUSED"), (None, "REFUSED")],
)
@pytest.mark.parametrize("reported", [Reported.FAILED, Reported.NOT_SENT])
async def test_what_was_sent_and_fails_after_all_is_failed_with_the_reason(
    reported: Reported, failure: FailureClass | None, code: str
) -> None:
    delivery = await Hearing(sent()).tell(
        report(reported, message_id="message-1", failure=failure, error="said the provider")
    )
    assert (delivery["status"], delivery["code"]) == ("failed", code)
    assert "said the provider" in str(delivery["reason"])
    assert delivery["attempts"][0]["outcome"] == "failed"
    assert (delivery["sent_at"], delivery.get("sent_by")) == (None, None)


async def test_a_failure_of_one_of_two_that_were_taken_leaves_the_other_and_no_duplicate() -> None:
    first = unknown(unknown_wait_seconds=0.0)
    second = end_of(claimed(first, WABLAS), SUCCEEDED)
    attempts: Any = [{**a, "provider_message_id": f"message-{a['number']}"} for a in second["attempts"]]
    hearing = Hearing({**second, "attempts": attempts})
    proven = await hearing.tell(report(Reported.SENT))
    assert (proven["status"], proven["possible_duplicate"]) == ("sent", True)
    delivery = await hearing.tell(report(Reported.FAILED))
    assert (delivery["status"], delivery["possible_duplicate"]) == ("sent", False)


@pytest.mark.parametrize(
    ("reported", "status"),
    [(Reported.SENT, "sent"), (Reported.DELIVERED, "delivered"), (Reported.READ, "read")],
)
@pytest.mark.parametrize("held", [True, False])
async def test_a_report_proves_what_nobody_knew(reported: Reported, status: str, *, held: bool) -> None:
    waiting = unknown(on_unknown="hold", unknown_wait_seconds=0.0 if held else 60.0)
    assert waiting["status"] == ("unknown" if held else "sending")
    delivery = await Hearing(waiting).tell(by_reference(reported, waiting, message_id="m"))
    assert (delivery["status"], delivery["possible_duplicate"], delivery["code"]) == (status, False, None)
    assert (delivery["attempts"][0]["outcome"], delivery["attempts"][0]["provider_message_id"]) == ("succeeded", "m")
    assert delivery["sent_at"] is not None
    assert not {"lane", "wake_at"} & delivery.keys()


async def test_a_report_that_it_was_not_sent_hands_it_to_the_next_provider_unmarked() -> None:
    waiting = unknown()
    delivery = await Hearing(waiting).tell(by_reference(Reported.NOT_SENT, waiting, error="deleted"))
    assert (delivery["status"], delivery["lane"], delivery["possible_duplicate"]) == ("queued", WABLAS, False)


async def test_a_report_that_the_number_is_wrong_ends_it() -> None:
    waiting = unknown()
    told = by_reference(Reported.FAILED, waiting, failure=FailureClass.RECIPIENT, error="invalid")
    delivery = await Hearing(waiting).tell(told)
    assert (delivery["status"], delivery["code"]) == ("failed", "INVALID_PHONE")


@pytest.mark.parametrize("end", [DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN, DeliveryStatus.CANCELLED])
async def test_what_arrived_overrules_an_end_it_proves_wrong(end: DeliveryStatus) -> None:
    ended = applied(sent(), Change(end, "ended otherwise", fields={"reason": "x", "code": "Y"}))
    delivery = await Hearing(ended).tell(report(Reported.DELIVERED))
    assert (delivery["status"], delivery["reason"], delivery["code"]) == ("delivered", None, None)


async def test_what_arrived_after_a_failure_was_sent_by_whoever_says_so() -> None:
    failed = await Hearing(sent()).tell(report(Reported.FAILED, message_id="message-1"))
    delivery = await Hearing(failed).tell(report(Reported.DELIVERED, message_id="message-1"))
    assert (delivery["status"], delivery.get("sent_by")) == ("delivered", FONNTE)
    assert delivery["sent_at"] == delivery["attempts"][0]["finished_at"]


async def test_a_report_waits_while_another_attempt_is_under_way() -> None:
    first = unknown(unknown_wait_seconds=0.0)
    calling = claimed(first, WABLAS)
    hearing = Hearing(calling)
    delivery = await hearing.tell(by_reference(Reported.READ, first, message_id="m"))
    assert (delivery["status"], delivery["attempts"][0]["outcome"]) == ("sending", "succeeded")
    hearing.deliveries.all[calling["_id"]] = end_of(delivery, FAILED)
    assert (await hearing.later(1))["status"] == "read"


async def test_a_write_between_reading_and_saving_is_not_lost() -> None:
    hearing = Hearing(sent())
    read = hearing.deliveries.reported
    changed = False

    async def read_then_change(**asked: Any) -> list[DeliveryDocument]:
        nonlocal changed
        found = await read(**asked)
        if not changed:
            changed = True
            only = hearing.deliveries.only
            hearing.deliveries.all[only["_id"]] = {**only, "revision": only["revision"] + 1}
        return found

    hearing.deliveries.reported = read_then_change  # type: ignore[method-assign]
    assert (await hearing.tell(report(Reported.READ)))["status"] == "read"


def device(*, connected: bool, at: float = 0.0) -> SenderReported:
    return SenderReported(provider=FONNTE, sender="fonnte-1", connected=connected, reason="logged out", at=after(at))


async def test_a_device_that_goes_takes_its_sender_out_at_once_and_is_tried_at_once_when_it_is_back() -> None:
    hearing = Hearing(sent())
    await hearing.later(0)
    await hearing.hear(device(connected=False))
    circuit = await hearing.senders.circuit("fonnte-1")
    assert circuit is not None
    assert (circuit["state"], circuit["reason"]) == ("open", "logged out")
    assert hearing.decide.lookout.usable() == {WABLAS}
    await hearing.later(5)
    await hearing.hear(device(connected=True, at=5))
    circuit = await hearing.senders.circuit("fonnte-1")
    assert circuit is not None
    assert circuit["retry_at"] == after(5)
    assert hearing.decide.lookout.probed() == {FONNTE}


async def test_old_news_of_a_device_changes_nothing() -> None:
    hearing = Hearing(sent())
    worked = {**closed(), "recent": [{"at": after(10), "ok": True}]}
    hearing.senders.documents[0]["circuit"] = worked  # type: ignore[typeddict-item]
    await hearing.later(20)
    await hearing.hear(device(connected=False, at=5))
    assert await hearing.senders.circuit("fonnte-1") == worked
    await hearing.hear(device(connected=False, at=15))
    before = await hearing.senders.circuit("fonnte-1")
    await hearing.hear(device(connected=True, at=12))
    assert await hearing.senders.circuit("fonnte-1") == before
    await hearing.hear(SenderReported(provider=FONNTE, sender="fonnte-9", connected=False, at=START))
