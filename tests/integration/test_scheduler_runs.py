"""What becomes of a run: recorded whatever its job does, finished by another when its scheduler died."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from common.kernel.failures import Transient
from common.mongo.connection import Mongo, connect
from common.testing.clock import HandClock
from local_stack.servers import PrivateMongo
from scheduler.application.ports import Firing, Line, Tally
from scheduler.application.run_jobs import LEASE
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


async def due(mongo: Mongo, clock: HandClock, *jobs: NotedJob, **limits: Any) -> HandScheduler:
    """A scheduler at the moment its jobs are due."""
    scheduler = HandScheduler(mongo, clock, [job.scheduled(**limits) for job in jobs])
    await scheduler.look()
    moment(clock, "2025-11-15T08:00")
    return scheduler


def raising(error: Exception) -> Callable[[Firing], Awaitable[Tally]]:
    async def also(_: Firing) -> Tally:
        raise error

    return also


class Held:
    """A job's work that ends when it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.at_once = 0
        self.most_at_once = 0
        self.ended = False

    async def __call__(self, _: Firing) -> Tally:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.let_go.wait()
        finally:
            self.at_once -= 1
            self.ended = True
        return Tally()


async def test_a_run_is_recorded_with_what_it_came_to(mongo: Mongo, clock: HandClock) -> None:
    lines = [Line("T-7", 3, 2, {"paid": 1}), Line("T-3", 4, 1, {"paid": 2, "cancelled": 1})]

    async def tally(_: Firing) -> Tally:
        return Tally.of(lines, ["customer C-1 with 6281200000001 has no name"])

    scheduler = await due(mongo, clock, NotedJob(also=tally))
    await scheduler.look()
    (run,) = await rows(mongo)
    assert (run["_id"], run["day"], run["trigger"]) == ("run_daily_20251115T010000Z", "2025-11-15", "schedule")
    assert (run["status"], run["found"], run["dispatched"]) == ("done", 7, 3)
    assert run["skipped"] == {"paid": 3, "cancelled": 1}
    assert run["lines"][0] == {"name": "T-7", "found": 3, "dispatched": 2, "skipped": {"paid": 1}}
    assert run["errors"] == ["customer C-1 with 6281******001 has no name"]
    assert (run["claimed_by"], run["started_at"], run["finished_at"]) == ("one", clock.now(), clock.now())


async def test_a_job_that_raises_is_recorded_and_stops_no_other(mongo: Mongo, clock: HandClock) -> None:
    bad = NotedJob("bad", raising(RuntimeError("6281200000001 is not in the directory")))
    good = NotedJob("good")
    scheduler = await due(mongo, clock, bad, good)
    await scheduler.look()
    await scheduler.look()
    assert (len(bad.firings), len(good.firings)) == (1, 1)
    assert {run["job"]: (run["status"], run["errors"]) for run in await rows(mongo)} == {
        "bad": ("failed", ["RuntimeError: 6281******001 is not in the directory"]),
        "good": ("done", []),
    }
    assert scheduler.metric("job_runs_total", job="bad", outcome="failed") == 1
    assert scheduler.metric("job_runs_total", job="good", outcome="failed") == 0


async def test_a_job_that_meets_an_outage_goes_on_when_it_is_over(mongo: Mongo, clock: HandClock) -> None:
    asked = iter([Transient("MongoDB elects"), Transient("RabbitMQ is away")])

    async def interrupted(_: Firing) -> Tally:
        for error in asked:
            raise error
        return Tally(found=2, dispatched=2)

    scheduler = await due(mongo, clock, NotedJob(also=interrupted))
    await scheduler.look()
    (run,) = await rows(mongo)
    assert (run["status"], run["dispatched"], run["claims"], run["errors"]) == ("done", 2, 1, [])


async def test_a_run_that_takes_too_long_is_ended_and_recorded(mongo: Mongo, clock: HandClock) -> None:
    held = Held()
    scheduler = await due(mongo, clock, NotedJob(also=held), longest=timedelta(seconds=0.05))
    await scheduler.look()
    (run,) = await rows(mongo)
    assert (run["status"], run["errors"], held.ended) == ("failed", ["took longer than 0.05 s and was ended"], True)


async def test_what_a_job_answers_has_to_be_a_tally(mongo: Mongo, clock: HandClock) -> None:
    async def nothing(_: Firing) -> Tally:
        return None  # type: ignore[return-value]

    scheduler = await due(mongo, clock, NotedJob(also=nothing))
    await scheduler.look()
    (run,) = await rows(mongo)
    assert (run["status"], run["errors"][0].partition(":")[0]) == ("failed", "AttributeError")


async def test_a_run_that_ends_while_mongodb_is_away_is_recorded_when_it_is_back(
    private_mongodb: Callable[[], PrivateMongo], clock: HandClock
) -> None:
    server = private_mongodb()
    async with connect(server.url, name="test") as mongo:
        held = Held()
        scheduler = await due(mongo, clock, NotedJob(also=held))
        await scheduler.begin()
        server.kill()
        held.let_go.set()
        with pytest.raises(Transient):
            await scheduler.run_jobs.renew()
        assert held.ended
        server.start()
        await scheduler.run_jobs.drain(seconds=60)
        (run,) = await rows(mongo)
        assert (run["status"], run["claims"]) == ("done", 1)


async def test_what_a_job_itself_waited_for_too_long_is_its_own_error(mongo: Mongo, clock: HandClock) -> None:
    scheduler = await due(mongo, clock, NotedJob(also=raising(TimeoutError("fonnte did not answer"))))
    await scheduler.look()
    assert (await rows(mongo))[0]["errors"] == ["TimeoutError: fonnte did not answer"]


async def test_the_run_of_a_scheduler_that_died_is_finished_by_another_once_its_lease_is_over(
    mongo: Mongo, clock: HandClock
) -> None:
    held, job = Held(), NotedJob()
    dead = await due(mongo, clock, NotedJob(also=held))
    await dead.begin()
    clock.advance(LEASE.total_seconds() - 1)
    other = HandScheduler(mongo, clock, [job.scheduled()], "two")
    await other.look()
    assert not job.firings
    clock.advance(1)
    await other.look()
    assert len(job.firings) == 1
    held.let_go.set()  # it was only thought dead; what it did is not recorded again
    await dead.run_jobs.drain()
    (run,) = await rows(mongo)
    assert (run["status"], run["claimed_by"], run["claims"]) == ("done", "two", 2)


async def test_a_run_that_is_renewed_is_left_to_its_scheduler(mongo: Mongo, clock: HandClock) -> None:
    held, job = Held(), NotedJob()
    first = await due(mongo, clock, NotedJob(also=held))
    await first.begin()
    other = HandScheduler(mongo, clock, [job.scheduled()], "two")
    for _ in range(5):
        clock.advance(LEASE.total_seconds() - 1)
        await first.run_jobs.renew()
        await other.look()
    assert not job.firings
    held.let_go.set()
    await first.run_jobs.drain()
    assert (await rows(mongo))[0]["claimed_by"] == "one"


async def test_who_lost_a_run_stops_working_on_it(mongo: Mongo, clock: HandClock) -> None:
    held = Held()
    slow = await due(mongo, clock, NotedJob(also=held))
    await slow.begin()
    clock.advance(LEASE.total_seconds())
    await HandScheduler(mongo, clock, [NotedJob().scheduled()], "two").look()
    await slow.run_jobs.renew()
    await slow.run_jobs.drain()
    assert held.ended
    (run,) = await rows(mongo)
    assert (run["status"], run["claimed_by"]) == ("done", "two")


async def test_a_scheduler_that_stops_gives_back_what_it_could_not_finish(mongo: Mongo, clock: HandClock) -> None:
    held, job = Held(), NotedJob()
    stopping = await due(mongo, clock, NotedJob(also=held))
    await stopping.begin()
    stopping.stopping = True
    await stopping.run_jobs.drain(seconds=0.05)
    assert held.ended
    assert not await stopping.run_jobs.claim()
    await HandScheduler(mongo, clock, [job.scheduled()], "two").look()
    assert len(job.firings) == 1
    (run,) = await rows(mongo)
    assert (run["status"], run["claims"]) == ("done", 1)


async def test_of_one_job_one_run_at_a_time_and_of_others_beside_it(mongo: Mongo, clock: HandClock) -> None:
    held, other = Held(), NotedJob("other")
    slow = NotedJob("slow", held)
    scheduler = await due(mongo, clock, slow, other)
    await scheduler.notice()
    run = (await rows(mongo, job="slow"))[0]
    await mongo["job_runs"].insert_one({**run, "_id": "asked", "trigger": "person", "day": "2025-11-01"})
    assert [await scheduler.run_jobs.claim() for _ in range(3)] == [True, True, False]
    held.let_go.set()
    await scheduler.run_jobs.drain()
    await scheduler.look()
    assert (held.most_at_once, len(slow.firings), len(other.firings)) == (1, 2, 1)
    assert {run["status"] for run in await rows(mongo)} == {"done"}


async def test_a_person_chooses_the_day_and_whether_anybody_is_told(mongo: Mongo, clock: HandClock) -> None:
    job = NotedJob()
    scheduler = await due(mongo, clock, job)
    await scheduler.look()
    clock.advance(60)
    run = (await rows(mongo))[0]
    asked = {"_id": "asked", "trigger": "person", "status": "requested", "claims": 0, "due_at": clock.now()}
    await mongo["job_runs"].insert_one({**run, **asked, "day": "2025-11-01", "dry_run": True})
    await scheduler.look()
    assert [(str(one.day), one.dry_run) for one in job.firings] == [("2025-11-15", False), ("2025-11-01", True)]
    assert scheduler.metric("job_runs_total", job="daily", outcome="done") == 1
