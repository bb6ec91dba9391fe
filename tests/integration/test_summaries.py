"""The day for managers and the week for technicians, each told once."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from common.contracts.vocabulary import NotificationType
from common.mongo.connection import Mongo, connect
from common.testing.clock import HandClock
from tests.support.directory_rows import staff
from tests.support.scheduling.jobs import DAY, BusinessJobs, local

MONDAY = local("2025-11-17T08:00:00")


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


@pytest.fixture
async def jobs(mongo: Mongo) -> BusinessJobs:
    jobs = BusinessJobs(mongo, HandClock(local("2025-11-15T18:00:00")))
    opened, done = local("2025-11-14T22:00:00"), local("2025-11-15T01:00:00")
    await jobs.store("staff", staff("S-1", "manager", "6281200000042"))
    await jobs.store(
        "technicians",
        {"id": "A", "phone": "6281200000021", "status": "active"},
        {"id": "B", "phone": "6281200000022"},
        {"id": "C", "status": "active"},
        {"id": "D", "phone": "6281200000024", "status": "inactive"},
    )
    await jobs.store(
        "tickets",
        {"id": "T-1", "technician_id": "A", "priority": "high", "status": "resolved", "opened_at": opened,
         "resolved_at": done, "rating": 5},
        {"id": "T-2", "title": "Mati total", "priority": "urgent", "status": "open", "opened_at": done},
    )  # fmt: skip
    return jobs


async def test_the_day_is_told_once_with_its_figures(jobs: BusinessJobs) -> None:
    dry = await jobs.summary.run(jobs.scheduled(jobs.summary, dry_run=True))
    first = await jobs.summary.run(jobs.scheduled(jobs.summary))
    jobs.clock.advance(6 * 3600)
    second = await jobs.summary.run(jobs.firing(jobs.summary))
    assert (dry.dispatched, first.dispatched, second.dispatched) == (1, 1, 0)
    assert second.skipped == {"already_dispatched": 1}
    (asked,) = await jobs.asked()
    assert (asked.event_id, asked.type) == ("daily-summary.2025-11-15", NotificationType.DAILY_SUMMARY)
    assert asked.data == {
        "date": "2025-11-15",
        "tickets_opened": 1,
        "tickets_closed": 1,
        "tickets_open": 1,
        "sla_met_percent": 100.0,
        "technicians_active": 1,
        "issues": ["Tiket T-2 melewati batas waktu: Mati total"],
    }


async def test_what_a_person_has_told_of_a_day_before_its_end_does_not_stand_for_the_schedules(
    jobs: BusinessJobs,
) -> None:
    tried = jobs.firing(jobs.summary)
    assert [(await jobs.summary.run(tried)).dispatched for _ in range(2)] == [1, 1]  # after a crash, too
    jobs.clock.advance(60)
    assert (await jobs.summary.run(jobs.scheduled(jobs.summary))).dispatched == 1
    asked = [request.event_id for request in await jobs.asked()]
    assert asked == ["daily-summary.2025-11-15", f"daily-summary.2025-11-15.{tried.run_id}"]


async def test_a_day_that_is_told_late_says_nothing_of_what_is_open_by_then(jobs: BusinessJobs) -> None:
    firing = jobs.firing(jobs.summary)
    jobs.clock.advance(7 * 3600)
    assert (await jobs.summary.run(firing)).dispatched == 1
    (asked,) = await jobs.asked()
    assert asked.data is not None
    assert (asked.data["date"], "tickets_open" in asked.data, "issues" in asked.data) == ("2025-11-15", False, False)


async def test_with_nobody_to_tell_the_day_is_skipped_and_a_group_is_somebody(jobs: BusinessJobs) -> None:
    await jobs.mongo["staff"].delete_many({})
    skipped = await jobs.summary.run(jobs.firing(jobs.summary))
    await jobs.mongo["groups"].insert_one(
        {"_id": "G-1", "known_as": ["120363000000000001@g.us"], "purpose": "management", "active": True}
    )
    told = await jobs.summary.run(jobs.firing(jobs.summary))
    assert (skipped.skipped, told.dispatched) == ({"no_recipient": 1}, 1)


async def test_every_active_technician_is_told_the_week_before_once(jobs: BusinessJobs) -> None:
    jobs.clock.advance((MONDAY - jobs.clock.now()).total_seconds())
    day = DAY + timedelta(days=2)
    dry = await jobs.performance.run(jobs.firing(jobs.performance, day=day, dry_run=True))
    first, second = [await jobs.performance.run(jobs.firing(jobs.performance, day=day)) for _ in range(2)]
    assert dry == first
    assert (first.found, first.dispatched, first.skipped) == (3, 2, {"no_number": 1})
    assert (second.dispatched, second.skipped) == (0, {"already_dispatched": 2, "no_number": 1})
    asked = {request.event_id: request.data for request in await jobs.asked()}
    week = {"period": "10-16 November 2025", "technicians": 3}
    done = {"tickets_done": 1, "average_hours": 3.0, "sla_met_percent": 100.0, "rating": 5.0, "rank": 1}
    assert asked == {
        "weekly-performance.A.2025-W46": {"technician_id": "A", **week, **done, "bonus": 500_000},
        "weekly-performance.B.2025-W46": {"technician_id": "B", **week, "tickets_done": 0},
    }
