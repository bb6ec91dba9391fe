"""Supervisors are warned of every ticket whose time runs out, and of none twice within half an hour."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from common.catalogue.texts import Texts
from common.contracts.documents import SuppressionDocument
from common.contracts.vocabulary import SuppressionReason
from common.mongo.connection import Mongo, connect
from common.mongo.suppressions import Suppressions
from common.mongo.templates import Templates
from common.testing.clock import HandClock
from scheduler.application.ports import Firing, Line
from tests.support.directory_rows import staff
from tests.support.scheduling.jobs import JAKARTA, BusinessJobs, local

OPENED = local("2025-11-15T08:00:00")


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


@pytest.fixture
async def jobs(mongo: Mongo) -> BusinessJobs:
    jobs = BusinessJobs(mongo, HandClock(OPENED))
    await jobs.store("staff", staff("S-1", "supervisor", "6281200000041"))
    return jobs


def ticket(identity: str, priority: str | None = "urgent", **changed: Any) -> dict[str, Any]:
    row = {"id": identity, "status": "open", "priority": priority, "opened_at": OPENED}
    return {name: value for name, value in (row | changed).items() if value is not None}


async def warned(jobs: BusinessJobs) -> list[dict[str, Any]]:
    asked = [request.data or {} for request in await jobs.asked()]
    jobs.bus.taken.clear()
    return sorted(asked, key=lambda data: str(data["ticket_id"]))


async def test_a_warning_comes_at_the_moment_its_priority_says_and_no_earlier(jobs: BusinessJobs) -> None:
    for priority in ("urgent", "high", "normal", "low"):
        await jobs.store("tickets", ticket(f"T-{priority}", priority))
    first: dict[str, float] = {}
    for quarter in range(4 * 42):
        await jobs.sla.run(jobs.firing(jobs.sla))
        for data in await warned(jobs):
            first.setdefault(data["ticket_id"], quarter / 4)
        jobs.clock.advance(15 * 60)
    assert first == {"T-urgent": 3.0, "T-high": 6.0, "T-normal": 20.0, "T-low": 40.0}


async def test_tickets_nobody_is_to_be_warned_of(jobs: BusinessJobs) -> None:
    late = OPENED - timedelta(days=3)
    await jobs.store(
        "tickets",
        *(ticket(f"T-{status}", opened_at=late, status=status) for status in ("resolved", "closed", "cancelled")),
        ticket("T-later", "low"),
        ticket("T-no-priority", None, opened_at=late),
        ticket("T-told-later", deadline=OPENED + timedelta(hours=9), opened_at=late),
    )
    tally = await jobs.sla.run(jobs.firing(jobs.sla))
    assert (tally.found, await warned(jobs)) == (0, [])


async def test_an_overdue_ticket_is_warned_of_every_half_hour_and_after_a_day_once_a_day(jobs: BusinessJobs) -> None:
    await jobs.store("tickets", ticket("T-1", deadline=OPENED, status="on_hold"))
    times = []
    for quarter in range(4 * 75):
        jobs.clock.advance(0.3 if quarter % 2 else 0.1)  # a run begins a little after it was due, now more, now less
        firing = Firing("sla-monitor", OPENED + timedelta(minutes=15 * quarter), OPENED.date(), run_id=f"run_{quarter}")
        await jobs.sla.run(firing)
        times += [quarter / 4 for _ in await warned(jobs)]
        jobs.clock.advance((OPENED + timedelta(minutes=15 * (quarter + 1)) - jobs.clock.now()).total_seconds())
    assert times == [*(half / 2 for half in range(49)), 48.0, 72.0]


async def test_two_schedulers_at_once_warn_once(jobs: BusinessJobs) -> None:
    await jobs.store("tickets", *(ticket(f"T-{n:03}", deadline=OPENED) for n in range(120)))
    for _ in range(2):
        tallies = await asyncio.gather(*(jobs.sla.run(jobs.firing(jobs.sla)) for _ in range(3)))
        assert sum(tally.dispatched for tally in tallies) == 120
        assert sum(tally.skipped.get("warned_lately", 0) for tally in tallies) == 240
        assert len(await warned(jobs)) == 120
        jobs.clock.advance(30 * 60)


async def test_a_scheduler_that_died_before_it_told_anybody_has_warned_once_all_the_same(jobs: BusinessJobs) -> None:
    await jobs.store("tickets", ticket("T-1", deadline=OPENED + timedelta(minutes=30)))
    firing = jobs.firing(jobs.sla)
    await jobs.sla.run(firing)  # and dies, before anything is handed over
    jobs.clock.advance(15 * 60)
    again, other = await jobs.sla.run(firing), await jobs.sla.run(jobs.firing(jobs.sla))
    assert (again.dispatched, other.dispatched, other.skipped) == (1, 0, {"warned_lately": 1})
    assert await warned(jobs) == [{"ticket_id": "T-1", "minutes_left": 30}]


async def test_a_run_that_was_late_puts_off_the_next_warning(jobs: BusinessJobs) -> None:
    await jobs.store("tickets", ticket("T-1", deadline=OPENED))
    late = jobs.firing(jobs.sla)
    jobs.clock.advance(14 * 60)
    assert (await jobs.sla.run(late)).dispatched == 1
    for minutes, dispatched in ((15, 0), (14, 0), (1, 1)):
        jobs.clock.advance(minutes * 60)
        assert (await jobs.sla.run(jobs.firing(jobs.sla))).dispatched == dispatched


async def test_a_run_has_a_line_for_each_priority_and_a_dry_one_the_same(jobs: BusinessJobs) -> None:
    await jobs.store("tickets", ticket("T-1", deadline=OPENED), ticket("T-2", "low", deadline=OPENED))
    lines = [Line("low", 1, 1), Line("urgent", 1, 1)]
    for dry_run in (True, False):
        tally = await jobs.sla.run(jobs.firing(jobs.sla, dry_run=dry_run))
        assert sorted(tally.lines, key=lambda line: line.name) == lines
    after = await jobs.sla.run(jobs.firing(jobs.sla, dry_run=True))
    assert (after.dispatched, after.skipped) == (0, {"warned_lately": 2})
    assert len(await warned(jobs)) == 2


async def test_without_a_supervisor_nobody_is_asked_to_tell_nobody(jobs: BusinessJobs) -> None:
    await jobs.mongo["staff"].delete_many({})
    await jobs.store("staff", staff("S-2", "supervisor", None), staff("S-3", "admin", "6281200000042"))
    await jobs.store("tickets", ticket("T-1", deadline=OPENED))
    tally = await jobs.sla.run(jobs.firing(jobs.sla))
    assert (tally.dispatched, tally.skipped) == (0, {"no_recipient": 1})
    assert await warned(jobs) == []


@pytest.mark.parametrize("mail_is_on", [True, False])
@pytest.mark.parametrize("has_email", [True, False])
async def test_a_supervisor_with_an_e_mail_address_alone_is_somebody_where_warnings_go_by_mail(
    mongo: Mongo, *, mail_is_on: bool, has_email: bool
) -> None:
    jobs = BusinessJobs(mongo, HandClock(OPENED), mail_is_on=mail_is_on)
    await jobs.store("staff", staff("S-1", "supervisor", None) | {"email": "pengawas@example.com"})
    await jobs.store("tickets", ticket("T-1", deadline=OPENED))
    await mongo["routes"].insert_one({"_id": "sla_warning", "channels": ["whatsapp", "email"]})
    if has_email:
        texts = Texts("Tiket {{ ticket.id }}", "Peringatan", "Tiket {{ ticket.id }}")
        await Templates(mongo).publish("sla_warning", texts, by="tester")
    tally = await jobs.sla.run(jobs.firing(jobs.sla))
    told = mail_is_on and has_email
    assert (tally.dispatched, tally.skipped) == ((1, {}) if told else (0, {"no_recipient": 1}))


async def test_who_opted_out_is_nobody_to_warn_and_a_group_is_somebody(jobs: BusinessJobs) -> None:
    suppression: SuppressionDocument = {
        "_id": "6281200000041", "reason": SuppressionReason.OPT_OUT, "note": None, "created_by": "recipient",
        "created_at": OPENED,
    }  # fmt: skip
    await Suppressions(jobs.mongo, JAKARTA).add(suppression)
    await jobs.store("tickets", ticket("T-1", deadline=OPENED))
    assert (await jobs.sla.run(jobs.firing(jobs.sla))).skipped == {"no_recipient": 1}
    await jobs.store("staff", staff("S-2", "manager", None))
    assert (await jobs.summary.run(jobs.firing(jobs.summary))).skipped == {"no_recipient": 1}
    await jobs.mongo["groups"].insert_one({"_id": "grp_1", "purpose": "management", "active": True})
    assert (await jobs.summary.run(jobs.firing(jobs.summary))).dispatched == 1
