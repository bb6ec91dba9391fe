"""Each firing leaves one run, whoever looks, how often, and with whatever clock."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from common.mongo.connection import Mongo, connect
from common.mongo.server_clock import ServerClock
from common.testing.clock import HandClock
from scheduler.domain.runs import MOST_CLAIMS
from tests.support.api import until
from tests.support.scheduling.hand import HandScheduler, NotedJob, moment, rows


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


@pytest.fixture
def clock() -> HandClock:
    clock = HandClock()
    moment(clock, "2025-11-15T07:00")
    return clock


def days(job: NotedJob) -> list[str]:
    return [firing.day.isoformat() for firing in job.firings]


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
async def test_a_month_of_an_often_looked_at_clock_runs_each_day_once(
    mongo: Mongo, clock: HandClock, zone: str
) -> None:
    moment(clock, "2026-10-20T12:00")
    job = NotedJob()
    schedulers = [
        HandScheduler(mongo, clock, [job.scheduled("30 2 * * *", zone=ZoneInfo(zone))], name) for name in ("one", "two")
    ]
    for _ in range(30 * 4):
        for scheduler in [*schedulers, schedulers[0]]:  # the clock stands still meanwhile
            await scheduler.look()
        clock.advance(6 * 3600)
    found = await rows(mongo)
    assert {run["status"] for run in found} == {"done"}
    first = date.fromisoformat(found[0]["day"])
    assert [run["day"] for run in found] == [str(first + timedelta(days=number)) for number in range(len(found))]
    assert (days(job), len(found)) == ([run["day"] for run in found], {"Europe/Berlin": 29}.get(zone, 30))


async def test_a_job_that_is_new_is_not_due_for_what_was_before(mongo: Mongo, clock: HandClock) -> None:
    moment(clock, "2025-11-15T08:00:01")
    job = NotedJob()
    scheduler = HandScheduler(mongo, clock, [job.scheduled()])
    await scheduler.look()
    assert not await rows(mongo)
    known = await mongo["jobs"].find_one({"_id": "daily"})
    assert known is not None
    assert known["next_run"] - clock.now() == timedelta(hours=24, seconds=-1)


async def test_what_was_missed_is_caught_up_once_with_the_newest(mongo: Mongo, clock: HandClock) -> None:
    before, back = NotedJob(), NotedJob()
    await HandScheduler(mongo, clock, [before.scheduled("*/15 * * * *")]).look()
    moment(clock, "2025-11-15T08:20")
    scheduler = HandScheduler(mongo, clock, [back.scheduled("*/15 * * * *")])
    await scheduler.look()
    await scheduler.look()
    assert [firing.due_at.isoformat() for firing in back.firings] == ["2025-11-15T01:15:00+00:00"]
    assert [run["status"] for run in await rows(mongo)] == ["missed"] * 4 + ["done"]
    assert scheduler.metric("job_runs_total", job="daily", outcome="missed") == 4
    assert scheduler.metric("job_runs_total", job="daily", outcome="done") == 1


async def test_what_is_too_old_is_missed_and_seen_to_be(mongo: Mongo, clock: HandClock) -> None:
    job = NotedJob()
    await HandScheduler(mongo, clock, [job.scheduled()]).look()
    moment(clock, "2025-11-17T14:00:01")
    scheduler = HandScheduler(mongo, clock, [job.scheduled()])
    await scheduler.look()
    assert not job.firings
    assert [(run["day"], run["status"]) for run in await rows(mongo)] == [
        ("2025-11-15", "missed"),
        ("2025-11-16", "missed"),
        ("2025-11-17", "missed"),
    ]
    moment(clock, "2025-11-18T08:00")
    await scheduler.look()
    assert days(job) == ["2025-11-18"]


async def test_a_firing_nobody_claimed_in_time_is_missed(mongo: Mongo, clock: HandClock) -> None:
    job = NotedJob()
    scheduler = HandScheduler(mongo, clock, [job.scheduled()])
    await scheduler.look()
    moment(clock, "2025-11-15T08:00")
    await scheduler.notice()
    moment(clock, "2025-11-15T14:00:01")
    await scheduler.look()
    assert not job.firings
    assert [run["status"] for run in await rows(mongo)] == ["missed"]


@pytest.mark.parametrize("scheduler_is", ["running", "restarted"])
@pytest.mark.parametrize("jump", [-3600, 3600, -86400 * 2], ids=["back", "ahead", "two days back"])
@pytest.mark.parametrize("at", ["07:30", "08:00", "08:30"])
async def test_a_clock_that_jumps_neither_repeats_nor_skips_a_day(
    mongo: Mongo, clock: HandClock, at: str, jump: int, scheduler_is: str
) -> None:
    """For an hour; then it is put right again."""
    job = NotedJob()
    scheduler = HandScheduler(mongo, clock, [job.scheduled()])

    async def go_on(text: str) -> None:
        nonlocal scheduler
        while clock.now().astimezone(ZoneInfo("Asia/Jakarta")).isoformat()[:16] < text:
            await scheduler.look()
            clock.advance(1800)
        await scheduler.look()

    await go_on(f"2025-11-16T{at}")
    for seconds in (jump, 3600, -jump):
        clock.advance(seconds)
        if scheduler_is == "restarted":
            scheduler = HandScheduler(mongo, clock, [job.scheduled()])
        await scheduler.look()
    await go_on("2025-11-18T12:00")
    wanted = {f"2025-11-{day}": 1 for day in (15, 16, 17, 18)}
    assert {day: count for day, count in Counter(days(job)).items() if day in wanted} == wanted


@pytest.mark.parametrize("wrong_by", [-3600, 3600])
async def test_a_scheduler_whose_own_clock_is_wrong_keeps_that_of_mongodb(mongo: Mongo, wrong_by: int) -> None:
    job = NotedJob()
    right = ServerClock(mongo.time)
    wrong = ServerClock(mongo.time, local=lambda: time.time() + wrong_by, monotonic=lambda: time.monotonic() + wrong_by)
    await asyncio.gather(right.sample(), wrong.sample())
    schedulers = [HandScheduler(mongo, one, [job.scheduled("* * * * * *")]) for one in (right, wrong)]

    async def five_runs() -> bool:
        for scheduler in schedulers:
            await scheduler.look()
        return len(await rows(mongo)) >= 5

    await until(five_runs, "the job was not run")
    runs = await rows(mongo)
    assert {after["due_at"] - run["due_at"] for run, after in pairwise(runs)} == {timedelta(seconds=1)}
    told = await mongo.time()
    assert all(told - timedelta(seconds=60) < run["due_at"] <= told for run in runs)


async def test_another_schedule_counts_from_when_it_is_given(mongo: Mongo, clock: HandClock) -> None:
    job = NotedJob()
    moment(clock, "2025-11-15T07:00")
    await HandScheduler(mongo, clock, [job.scheduled()]).look()
    moment(clock, "2025-11-15T12:00")
    await HandScheduler(mongo, clock, [job.scheduled()]).look()
    changed = HandScheduler(mongo, clock, [job.scheduled("0 9 * * *")])
    await changed.look()
    assert days(job) == ["2025-11-15"]
    moment(clock, "2025-11-16T09:00")
    await HandScheduler(mongo, clock, [job.scheduled("0 9 * * *")]).look()
    assert [run["due_at"].hour for run in await rows(mongo)] == [1, 2]


async def test_a_job_no_release_has_any_more_goes_from_the_list_with_what_was_asked_of_it(
    mongo: Mongo, clock: HandClock
) -> None:
    old, kept = NotedJob("old"), NotedJob("kept")
    moment(clock, "2025-11-15T07:00")
    before = HandScheduler(mongo, clock, [old.scheduled(), kept.scheduled()], "before")
    await before.look()
    await mongo["job_runs"].insert_one({"_id": "run_1", "job": "old", "status": "requested", "due_at": clock.now()})
    clock.advance(86_400)  # after a night off nothing was spoken of for long, and nothing is forgotten for that
    now = HandScheduler(mongo, clock, [kept.scheduled()], "now")
    await now.forget()
    for _ in range(30):  # another scheduler still knows it
        clock.advance(60)
        await before.forget()
        await now.forget()
        assert await mongo["jobs"].distinct("_id") == ["kept", "old"]
    clock.advance(11 * 60)
    await now.forget()
    assert await mongo["jobs"].distinct("_id") == ["kept"]
    asked = await mongo["job_runs"].find_one({"_id": "run_1"})
    assert asked is not None
    assert asked["status"] == "missed"


async def test_a_job_whose_scheduler_was_cut_off_comes_back_to_the_list_with_it(mongo: Mongo, clock: HandClock) -> None:
    new, kept = NotedJob("new"), NotedJob("kept")
    moment(clock, "2025-11-15T07:00")
    later = HandScheduler(mongo, clock, [new.scheduled(), kept.scheduled()], "later")
    earlier = HandScheduler(mongo, clock, [kept.scheduled()], "earlier")
    await later.look()
    await earlier.look()
    clock.advance(11 * 60)  # MongoDB is out of reach for the only scheduler of the newer release
    await earlier.look()
    assert await mongo["jobs"].distinct("_id") == ["kept"]
    await later.look()
    found = await mongo["jobs"].find_one({"_id": "new"})
    assert found is not None
    assert found["next_run"] == clock.now() + timedelta(minutes=49)
    moment(clock, "2025-11-15T08:00")
    await later.look()
    assert days(new) == ["2025-11-15"]


async def test_what_was_asked_of_a_job_is_ended_also_when_who_forgot_the_job_died_before_it(
    mongo: Mongo, clock: HandClock
) -> None:
    scheduler = HandScheduler(mongo, clock, [NotedJob("kept").scheduled()])
    await scheduler.look()
    for name in ("gone", "kept"):
        run = {"_id": f"run_{name}", "job": name, "status": "requested", "due_at": clock.now() + timedelta(minutes=10)}
        await mongo["job_runs"].insert_one(run)
    clock.advance(11 * 60)
    await scheduler.forget()
    ended = {run["_id"]: run["status"] for run in await rows(mongo)}
    assert ended == {"run_gone": "missed", "run_kept": "requested"}


async def test_a_job_that_is_off_is_known_and_never_due(mongo: Mongo, clock: HandClock) -> None:
    job = NotedJob()
    scheduler = HandScheduler(mongo, clock, [job.scheduled(None)])
    for _ in range(3):
        await scheduler.look()
        clock.advance(86400)
    await scheduler.measure()
    assert not await rows(mongo)
    assert await mongo["jobs"].find_one({"_id": "daily", "schedule": None, "next_run": None})
    assert scheduler.metric("job_last_success_timestamp_seconds", job="daily") is None


async def test_when_it_last_succeeded_survives_a_restart_and_counts_its_own_day_alone(
    mongo: Mongo, clock: HandClock
) -> None:
    job = NotedJob()
    first = HandScheduler(mongo, clock, [job.scheduled()])
    await first.look()
    await first.measure()
    known = clock.now().timestamp()
    assert first.metric("job_last_success_timestamp_seconds", job="daily") == known
    moment(clock, "2025-11-15T08:00")
    await first.look()
    await first.measure()
    succeeded = clock.now().timestamp()
    clock.advance(600)
    run = (await rows(mongo))[0]
    others = [
        {**run, "_id": "dry", "due_at": clock.now(), "finished_at": clock.now(), "dry_run": True},
        {**run, "_id": "of another day", "due_at": clock.now(), "finished_at": clock.now(), "day": "2025-11-14"},
        {**run, "_id": "failed", "due_at": clock.now(), "finished_at": clock.now(), "status": "failed"},
    ]
    await mongo["job_runs"].insert_many(others)
    again = HandScheduler(mongo, clock, [job.scheduled()])
    await again.measure()
    assert again.metric("job_last_success_timestamp_seconds", job="daily") == succeeded
    await mongo["job_runs"].insert_one({**run, "_id": "asked", "due_at": clock.now(), "finished_at": clock.now()})
    await again.measure()
    assert again.metric("job_last_success_timestamp_seconds", job="daily") == clock.now().timestamp()


async def test_when_it_is_due_again_follows_its_last_success_and_a_run_under_way_is_seen(
    mongo: Mongo, clock: HandClock
) -> None:
    scheduler = HandScheduler(mongo, clock, [NotedJob().scheduled()])

    async def told() -> tuple[float | None, float | None]:
        await scheduler.measure()
        due, running = (scheduler.metric(name, job="daily") for name in ("job_due_timestamp_seconds", "job_running"))
        return due, running

    await scheduler.look()
    moment(clock, "2025-11-15T08:00")
    first_due = clock.now().timestamp()
    await scheduler.notice()
    assert await told() == (first_due, 0)
    limits, until = {"daily": clock.now() - timedelta(hours=6)}, clock.now() + timedelta(seconds=15)
    taken = await scheduler.runs.claim(limits, instance="other", claim="1", now=clock.now(), until=until)
    assert taken is not None
    assert await told() == (first_due, 1)
    clock.advance(16)
    await scheduler.look()
    assert await told() == (first_due + 86400, 0)


async def test_what_kills_its_schedulers_is_given_up(mongo: Mongo, clock: HandClock) -> None:
    job = NotedJob()
    scheduler = HandScheduler(mongo, clock, [job.scheduled()])
    await scheduler.look()
    moment(clock, "2025-11-15T08:00")
    await scheduler.notice()
    for number in range(MOST_CLAIMS):
        limits = {"daily": clock.now() - timedelta(hours=6)}
        until = clock.now() + timedelta(seconds=15)
        dead = await scheduler.runs.claim(limits, instance="dead", claim=str(number), now=clock.now(), until=until)
        assert dead is not None
        clock.advance(16)
    await scheduler.look()
    assert not job.firings
    run = (await rows(mongo))[0]
    assert (run["status"], run["claims"]) == ("failed", MOST_CLAIMS)
    assert "died 5 times" in run["errors"][0]


async def test_runs_are_forgotten_after_a_year(mongo: Mongo) -> None:
    index = (await mongo["job_runs"].index_information())["forget"]
    assert (index["key"], index["expireAfterSeconds"]) == ([("due_at", 1)], 366 * 86400)
