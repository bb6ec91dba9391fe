"""Every invoice is reminded of once at each stage of a day, however often and by however many dunning is run."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.contracts.vocabulary import NotificationType
from common.kernel.failures import Transient
from common.mongo.connection import Mongo, connect
from common.testing.clock import HandClock
from scheduler.adapters.mongo_invoices import AT_ONCE, MongoInvoices
from scheduler.application.ask_once import LEASE
from scheduler.application.ports import Line, Tally
from tests.support.scheduling.jobs import DAY, BusinessJobs, local

DUE = {"T-7": "2025-11-22", "T-3": "2025-11-18", "T-1": "2025-11-16", "T+3": "2025-11-12"}


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


@pytest.fixture
def jobs(mongo: Mongo) -> BusinessJobs:
    return BusinessJobs(mongo, HandClock(local("2025-11-15T08:00:00")))


def invoice(identity: str, due_date: str, customer: str | None = "C-1", **changed: Any) -> dict[str, Any]:
    row = {"id": identity, "customer_id": customer, "due_date": due_date, "amount": 150_000, "status": "unpaid"}
    return {name: value for name, value in (row | changed).items() if value is not None}


async def some(jobs: BusinessJobs) -> None:
    """An invoice for every stage, and one for every reason not to be reminded."""
    await jobs.store(
        "customers",
        {"id": "C-1", "name": "Siti", "phone": "6281200000001"},
        {"id": "C-2", "name": "Budi", "phone": "6281200000002"},
        {"id": "C-3", "name": "Dewi"},
    )
    opted_out = {"reason": "opt_out", "note": None, "created_by": "recipient", "created_at": datetime.now(UTC)}
    await jobs.mongo["suppressions"].insert_one({"_id": "6281200000002", **opted_out})
    await jobs.store(
        "invoices",
        *(invoice(f"I{name}", due) for name, due in DUE.items()),
        invoice("I-untold", DUE["T-3"], status=None),
        invoice("I-paid", DUE["T-3"], status="paid"),
        invoice("I-cancelled", DUE["T-1"], status="cancelled"),
        invoice("I-opted-out", DUE["T-7"], "C-2"),
        invoice("I-mute", DUE["T-7"], "C-3"),
        invoice("I-unknown", DUE["T+3"], "C-9"),
        invoice("I-nobodys", DUE["T+3"], None),
        *(invoice(f"I-other-{n}", f"2025-11-{n}") for n in (11, 13, 14, 15, 17, 19, 20, 21, 23)),
    )


FIRST = Tally.of(
    [
        Line("T-7", 3, 1, {"opt_out": 1, "no_number": 1}),
        Line("T-3", 3, 2, {"paid": 1}),
        Line("T-1", 2, 1, {"cancelled": 1}),
        Line("T+3", 3, 1, {"no_customer": 2}),
    ]
)


async def test_a_run_reminds_of_each_stage_and_says_why_it_does_not(jobs: BusinessJobs) -> None:
    await some(jobs)
    tally = await jobs.dunning.run(jobs.firing(jobs.dunning))
    assert tally == FIRST
    assert (tally.found, tally.dispatched) == (11, 5)
    reminder, overdue = NotificationType.PAYMENT_REMINDER, NotificationType.PAYMENT_OVERDUE
    assert [(request.event_id, request.type, request.data) for request in await jobs.asked()] == [
        ("dunning.I-untold.T-3.2025-11-15", reminder, {"invoice_id": "I-untold", "days_left": 3}),
        ("dunning.IT+3.T+3.2025-11-15", overdue, {"invoice_id": "IT+3", "days_overdue": 3}),
        ("dunning.IT-1.T-1.2025-11-15", reminder, {"invoice_id": "IT-1", "days_left": 1}),
        ("dunning.IT-3.T-3.2025-11-15", reminder, {"invoice_id": "IT-3", "days_left": 3}),
        ("dunning.IT-7.T-7.2025-11-15", reminder, {"invoice_id": "IT-7", "days_left": 7}),
    ]


async def test_a_second_run_dispatches_none_and_says_so(jobs: BusinessJobs) -> None:
    await some(jobs)
    await jobs.dunning.run(jobs.firing(jobs.dunning))
    second = await jobs.dunning.run(jobs.firing(jobs.dunning))
    assert (second.found, second.dispatched, second.skipped["already_dispatched"]) == (11, 0, 5)
    assert len(await jobs.asked()) == 5


async def test_the_next_day_is_another_one(jobs: BusinessJobs) -> None:
    await some(jobs)
    await jobs.dunning.run(jobs.firing(jobs.dunning))
    tomorrow = await jobs.dunning.run(jobs.firing(jobs.dunning, day=DAY + timedelta(days=1)))
    assert [line.dispatched for line in tomorrow.lines] == [1, 1, 1, 1]


async def test_of_two_runs_at_once_each_invoice_is_one_runs(jobs: BusinessJobs) -> None:
    await some(jobs)
    await jobs.store("invoices", *(invoice(f"I-{n:04}", DUE["T-3"]) for n in range(300)))
    tallies = await asyncio.gather(*(jobs.dunning.run(jobs.firing(jobs.dunning)) for _ in range(4)))
    assert sum(tally.dispatched for tally in tallies) == 305
    assert sum(tally.skipped.get("already_dispatched", 0) for tally in tallies) == 3 * 305
    asked = [request.event_id for request in await jobs.asked()]
    assert len(asked) == len(set(asked)) == 305


async def test_a_run_that_died_is_run_again_and_counts_what_it_had_done(jobs: BusinessJobs) -> None:
    await some(jobs)
    firing = jobs.firing(jobs.dunning)
    await jobs.dunning.run(firing)
    await jobs.store("invoices", invoice("I-late", DUE["T-1"]))
    again = await jobs.dunning.run(firing)
    assert (again.dispatched, again.skipped.get("already_dispatched")) == (6, None)
    assert len(await jobs.asked()) == 6


async def test_a_dry_run_counts_the_same_and_changes_nothing(jobs: BusinessJobs) -> None:
    await some(jobs)
    dry = await jobs.dunning.run(jobs.firing(jobs.dunning, dry_run=True))
    assert dry == FIRST
    assert await jobs.asked() == []
    assert await jobs.mongo["job_requests"].count_documents({}) == 0
    await jobs.dunning.run(jobs.firing(jobs.dunning))
    after = await jobs.dunning.run(jobs.firing(jobs.dunning, dry_run=True))
    assert (after.dispatched, after.skipped["already_dispatched"]) == (0, 5)


async def test_what_was_asked_for_while_rabbitmq_was_away_is_handed_over_once_it_is_back(jobs: BusinessJobs) -> None:
    await some(jobs)
    jobs.bus.away = True
    assert (await jobs.dunning.run(jobs.firing(jobs.dunning))).dispatched == 5
    with pytest.raises(Transient):
        await jobs.hand_over()
    jobs.bus.away = False
    assert await jobs.asked() == []  # whoever took them may still be at it
    jobs.clock.advance(LEASE.total_seconds())
    assert len(await jobs.asked()) == 5
    jobs.clock.advance(LEASE.total_seconds())
    assert len(await jobs.asked()) == 5


async def test_several_that_hand_over_at_once_share_the_work(jobs: BusinessJobs) -> None:
    await jobs.store("customers", {"id": "C-1", "phone": "6281200000001"})
    await jobs.store("invoices", *(invoice(f"I-{n:04}", DUE["T-3"]) for n in range(700)))
    await jobs.dunning.run(jobs.firing(jobs.dunning))
    while any(await asyncio.gather(*(jobs.hand_over() for _ in range(3)))):
        pass
    times = Counter(request.event_id for request in await jobs.asked())
    assert (len(times), max(times.values())) == (700, 1)


async def test_what_only_a_newer_scheduler_can_read_holds_up_nothing(jobs: BusinessJobs) -> None:
    await some(jobs)
    await jobs.dunning.run(jobs.firing(jobs.dunning))
    unread = {"_id": "dunning.IT-7.T-7.2025-11-15"}
    await jobs.mongo["job_requests"].update_one(unread, {"$set": {"request": '{"type": "of_tomorrow"}'}})
    assert len(await jobs.asked()) == 4
    assert await jobs.mongo["job_requests"].count_documents({"wake_at": {"$exists": True}}) == 1


async def test_a_switched_off_type_is_left_out(jobs: BusinessJobs) -> None:
    await some(jobs)
    off = {"_id": "payment_overdue", "enabled": False, "revision": 1}
    await jobs.mongo["routes"].insert_one(off)
    tally = await jobs.dunning.run(jobs.firing(jobs.dunning))
    assert tally.lines[-1] == Line("T+3", 3, 0, {"type_switched_off": 3})
    assert tally.dispatched == 4


async def test_while_mail_is_off_whoever_has_an_address_only_is_not_reminded(mongo: Mongo) -> None:
    jobs = BusinessJobs(mongo, HandClock(local("2025-11-15T08:00:00")), mail_is_on=False)
    await jobs.store("customers", {"id": "C-1", "email": "sari@example.com"})
    await jobs.store("invoices", invoice("I-1", DUE["T-3"]))
    tally = await jobs.dunning.run(jobs.firing(jobs.dunning))
    assert (tally.found, tally.dispatched, tally.skipped) == (1, 0, {"mail_off": 1})


async def test_what_must_be_told_whoever_opted_out_is_told(jobs: BusinessJobs) -> None:
    await some(jobs)
    await jobs.mongo["routes"].insert_one({"_id": "payment_reminder", "suppressible": False, "revision": 1})
    tally = await jobs.dunning.run(jobs.firing(jobs.dunning))
    assert tally.lines[0] == Line("T-7", 3, 2, {"no_number": 1})


async def test_invoices_come_in_pages_of_a_bounded_size_in_order(jobs: BusinessJobs) -> None:
    count = 2 * AT_ONCE + 1
    rows = [{"_id": f"I-{n:05}", "due_date": DUE["T-3"], "customer_id": "C-1"} for n in range(count)]
    await jobs.mongo["invoices"].insert_many([{**row, "status": "unpaid"} for row in rows[::2]])
    await jobs.mongo["invoices"].insert_many(rows[1::2])
    pages: list[Sequence[Any]] = [page async for page in MongoInvoices(jobs.mongo).unpaid(DAY + timedelta(days=3))]
    assert [len(page) for page in pages] == [AT_ONCE, AT_ONCE, 1]
    assert [row["_id"] for page in pages for row in page] == [row["_id"] for row in rows]
