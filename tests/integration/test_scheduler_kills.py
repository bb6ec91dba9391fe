"""Two schedulers, one of them killed again and again: every firing is run, and leaves its effect once."""

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from scheduler.application.run_jobs import LEASE
from tests.support.api import until
from tests.support.forked import Forked
from tests.support.scheduling.frequent import EVERY_SECONDS

KILLS = 6
SEED = 20251115


class Schedulers:
    """Real processes, by the name each goes by."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._running: dict[str, Forked] = {}
        self._started = 0

    def start(self) -> None:
        self._started += 1
        name = f"scheduler-{self._started}"
        environment = {**os.environ, **self._environment, "KABAR_HTTP_PORT": "0", "KABAR_INSTANCE": name}
        self._running[name] = Forked("tests.support.scheduling.frequent", environment, self._log)

    def names(self) -> list[str]:
        return list(self._running)

    def kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            assert process.wait(30) == 0


@contextmanager
def running(environment: dict[str, str], path: Path) -> Iterator[Schedulers]:
    schedulers = Schedulers(environment, path)
    try:
        yield schedulers
    finally:
        schedulers.stop()


async def run_by(schedulers: Schedulers, stored: Database[dict[str, Any]]) -> str:
    """The name of a scheduler that runs something while another one stands by."""
    found = ""

    async def somebody() -> bool:
        nonlocal found
        runs = stored["job_runs"].find({"status": "running"}).sort("due_at", -1)
        found = next((run["claimed_by"] for run in runs if run["claimed_by"] in schedulers.names()), "")
        alive = stored["heartbeats"].count_documents({"_id": {"$in": schedulers.names()}})
        return found != "" and alive == len(schedulers.names())

    await until(somebody, "no run was begun", seconds=60)
    return found


async def test_each_firing_is_run_once_though_schedulers_are_killed_while_they_run_it(
    rabbitmq_url: str, mongodb_url: str, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    environment = {"RABBITMQ_URL": rabbitmq_url, "MONGODB_URL": mongodb_url}
    with MongoClient[dict[str, Any]](mongodb_url, tz_aware=True) as client:
        stored = client.get_default_database()
        with running(environment, tmp_path / "schedulers.log") as schedulers:
            schedulers.start()
            schedulers.start()
            broken_off = 0
            while broken_off < KILLS:
                name = await run_by(schedulers, stored)
                await asyncio.sleep(chance.random())  # somewhere in the middle of it, or it ended meanwhile
                schedulers.kill(name)
                broken_off += stored["job_runs"].count_documents({"status": "running", "claimed_by": name})
                schedulers.start()
            of_the_dead = {"status": "running", "claimed_by": {"$nin": schedulers.names()}}

            async def taken_over() -> bool:
                return stored["job_runs"].count_documents(of_the_dead) == 0

            await until(taken_over, "nobody took over the runs of the dead", seconds=4 * LEASE.total_seconds())
        runs = list(stored["job_runs"].find().sort("due_at", 1))
        effects = {one["_id"] for one in stored["effects"].find()}
        begun = {one["_id"]: one["times"] for one in stored["begun"].find()}
    period = timedelta(seconds=EVERY_SECONDS)
    assert {after["due_at"] - run["due_at"] for run, after in pairwise(runs)} == {period}
    ended = [run for run in runs if run["status"] != "requested"]  # the last one may have come while they stopped
    done = [run for run in ended if run["status"] == "done"]
    # Of several firings that come due while both schedulers stand still only the newest is run.
    missed = [run for run in ended if run["status"] == "missed" and run["finished_at"] - run["due_at"] >= period]
    assert len(done) + len(missed) == len(ended)
    assert {run["_id"] for run in done} == effects
    assert sum(run["claims"] > 1 for run in done) >= 1
    assert all(begun[run["_id"]] <= run["claims"] for run in done)
