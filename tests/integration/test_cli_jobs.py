"""Jobs looked at and run with `kabar`, against a real api-gateway; the scheduler's part is played here."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.api import Api, wait_until
from tests.support.command_line import ran

DUE = datetime(2025, 11, 15, 1, 0, tzinfo=UTC)
JOB = {
    "_id": "dunning",
    "schedule": "0 8 * * *",
    "timezone": "Asia/Jakarta",
    "next_run": datetime.now(UTC) + timedelta(hours=1),
    "oldest_seconds": 3600.0,
    "longest_seconds": 60.0,
    "since": DUE,
}
LINES = [
    {"name": "T-7", "found": 5, "dispatched": 3, "skipped": {"paid": 2}},
    {"name": "T+3", "found": 1, "dispatched": 1, "skipped": {}},
]
DONE = {"status": "done", "found": 6, "dispatched": 4, "skipped": {"paid": 2}, "lines": LINES}


@pytest.fixture(autouse=True)
def a_job(api: Api) -> None:
    for name in ("jobs", "job_runs"):
        api.rows[name].delete_many({})
    api.rows["jobs"].insert_one(JOB)


@contextmanager
def scheduler(api: Api, runs: int = 1, **outcome: Any) -> Iterator[None]:
    """Ends so many runs that are asked for."""

    def run() -> None:
        for _ in range(runs):
            wait_until(lambda: asked(api) is not None, "no run was asked for")
            told = {"started_at": DUE, "finished_at": DUE + timedelta(seconds=2), **DONE, **outcome}
            api.rows["job_runs"].update_one({"status": "requested"}, {"$set": told})

    running = threading.Thread(target=run)
    running.start()
    yield
    running.join()


def asked(api: Api) -> dict[str, Any] | None:
    return api.rows["job_runs"].find_one({"status": "requested"})


def test_jobs_are_listed_with_their_next_and_last_runs(api: Api) -> None:
    told = ran(api, "schedule", "list", role="noc")
    assert told.code == 0
    assert told.out.splitlines()[1].startswith("dunning  0 8 * * *  ")
    assert "never ran" in told.out
    assert told.out.splitlines()[-1].startswith("Schedules are in Asia/Jakarta, other times in ")
    found = json.loads(ran(api, "schedule", "list", "--json").out)
    assert (found["items"][0]["name"], found["next_cursor"]) == ("dunning", None)
    assert ran(api, "schedule", "list", role="cs").code == 4


def test_a_dry_run_of_the_dunning_has_a_line_per_stage_and_asks_nothing(api: Api) -> None:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    with scheduler(api):
        told = ran(api, "dunning", "run", "--dry-run", "--date", yesterday)
    assert told.code == 0
    lines = [line.split() for line in told.out.splitlines()]
    assert ["T-7", "5", "3", "2", "paid"] in lines
    assert ["all", "6", "4", "2", "paid"] in lines
    assert told.out.endswith("Nothing was sent: it was a dry run.\n")
    (run,) = api.rows["job_runs"].find()
    assert (run["dry_run"], run["day"]) == (True, yesterday)


def test_the_dunning_is_rehearsed_before_it_is_agreed_to(api: Api) -> None:
    with scheduler(api):
        told = ran(api, "dunning", "run", typed="n\n")
    assert told.code == 1
    assert "Send 4 reminders?" in told.err
    with scheduler(api, runs=2):
        told = ran(api, "dunning", "run", typed="y\n")
    assert told.code == 0
    assert [run["dry_run"] for run in api.rows["job_runs"].find().sort("_id")] == [True, True, False]
    with scheduler(api):
        told = ran(api, "dunning", "run", "--yes", "--json")
    assert json.loads(told.out)["lines"] == LINES


def test_nobody_is_asked_to_agree_to_what_could_not_be_rehearsed(api: Api) -> None:
    with scheduler(api, status="failed", dispatched=0, lines=[], errors=["the database does not answer"]):
        told = ran(api, "dunning", "run", typed="y\n")
    assert (told.code, "Send" in told.err) == (1, False)
    assert "error: the database does not answer\nThe run is failed.\n" in told.err
    assert asked(api) is None


def test_any_job_is_run_and_what_went_wrong_is_said(api: Api) -> None:
    with scheduler(api, status="failed", errors=["the database does not answer"]):
        told = ran(api, "schedule", "run", "dunning", "--yes")
    assert told.code == 1
    assert "error: the database does not answer\nThe run is failed.\n" in told.err
    assert ran(api, "schedule", "run", "dunning", typed="").code == 2
    told = ran(api, "schedule", "run", "dusting", "--yes")
    assert (told.code, told.err.startswith("error: there is no job dusting")) == (1, True)


def test_a_run_nobody_begins_ends_with_5(api: Api) -> None:
    told = ran(api, "schedule", "run", "dunning", "--yes", "--wait-seconds", "1")
    assert (told.code, "dunning is requested after 1 s" in told.err) == (5, True)
    assert asked(api) is not None
