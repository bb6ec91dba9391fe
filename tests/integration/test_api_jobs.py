"""Jobs over the API: when they are due, how they went, and a run for whoever asks."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.api import Api, assert_error

DUE = datetime(2025, 11, 15, 1, 0, tzinfo=UTC)
TODAY = datetime.now(ZoneInfo("Asia/Jakarta")).date()
JOB = {
    "_id": "daily-summary",
    "schedule": "0 18 * * *",
    "timezone": "Asia/Jakarta",
    "next_run": datetime.now(UTC) + timedelta(hours=1),
    "oldest_seconds": 3600.0,
    "longest_seconds": 60.0,
    "since": DUE,
}
RUN: dict[str, Any] = {
    "job": "daily-summary",
    "day": "2025-11-15",
    "trigger": "schedule",
    "requested_by": None,
    "dry_run": False,
    "status": "done",
    "claimed_by": "scheduler-1",
    "claim": "claim_1",
    "claims": 1,
    "lease_until": None,
    "started_at": DUE,
    "finished_at": DUE + timedelta(seconds=2),
    "found": 7,
    "dispatched": 5,
    "skipped": {"paid": 2},
    "lines": [{"name": "T-7", "found": 7, "dispatched": 5, "skipped": {"paid": 2}}],
    "errors": ["6281200000001 has no name"],
}


@pytest.fixture(autouse=True)
def _two_jobs(api: Api) -> None:
    for name in ("jobs", "job_runs", "audit_log", "idempotency_keys"):
        api.rows[name].delete_many({})
    api.rows["jobs"].insert_many([JOB, {**JOB, "_id": "dunning", "schedule": None, "timezone": None, "next_run": None}])


def stored(api: Api, number: int, **changed: Any) -> str:
    """Two runs each share a moment."""
    identity = f"run_daily-summary_{number:03d}"
    api.rows["job_runs"].insert_one({**RUN, "_id": identity, "due_at": DUE + timedelta(hours=number // 2), **changed})
    return identity


async def test_every_job_tells_when_it_is_due_and_how_it_went_last(api: Api) -> None:
    stored(api, 0)
    last = stored(api, 2, status="failed")
    async with api.client("noc") as client:
        summary, dunning = (await client.get("/api/jobs")).json()["items"]
    assert (summary["name"], summary["schedule"], summary["timezone"]) == (
        "daily-summary", "0 18 * * *", "Asia/Jakarta",
    )  # fmt: skip
    assert (summary["last_run"]["id"], summary["last_run"]["status"], summary["overdue"]) == (last, "failed", False)
    assert (dunning["schedule"], dunning["next_run"], dunning["last_run"]) == (None, None, None)


async def test_a_job_no_scheduler_took_notice_of_is_overdue(api: Api) -> None:
    api.rows["jobs"].update_one({"_id": "daily-summary"}, {"$set": {"next_run": DUE}})
    async with api.client() as client:
        assert (await client.get("/api/jobs")).json()["items"][0]["overdue"] is True


async def test_runs_are_read_page_by_page_the_latest_first(api: Api) -> None:
    wanted = [stored(api, number) for number in range(7)][::-1]
    stored(api, 99, job="dunning")
    found: list[str] = []
    cursor: dict[str, Any] = {}
    async with api.client() as client:
        while True:
            page = (await client.get("/api/jobs/daily-summary/runs", params={"limit": 2, **cursor})).json()
            found += [one["id"] for one in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert_error(await client.get("/api/jobs/daily-summary/runs", params={"cursor": "x"}), 422, "VALIDATION_ERROR")
    assert found == wanted


async def test_a_run_is_shown_with_its_parts_and_without_numbers(api: Api) -> None:
    identity = stored(api, 1)
    async with api.client() as client:
        shown = (await client.get(f"/api/jobs/daily_summary/runs/{identity}")).json()
        assert_error(await client.get(f"/api/jobs/dunning/runs/{identity}"), 404, "NOT_FOUND")
        assert_error(await client.get("/api/jobs/daily-summary/runs/run_x"), 404, "NOT_FOUND")
    assert (shown["date"], shown["found"], shown["dispatched"], shown["skipped"]) == ("2025-11-15", 7, 5, {"paid": 2})
    assert shown["lines"] == RUN["lines"]
    assert shown["errors"] == ["6281******001 has no name"]


async def test_a_run_is_asked_for_once_for_one_key(api: Api) -> None:
    async with api.client("noc") as client:
        for _ in range(2):
            asked = await client.post(
                "/api/jobs/dunning/run",
                json={"date": str(TODAY), "dry_run": True},
                headers={"Idempotency-Key": "a"},
            )
            assert asked.status_code == 202, asked.text
        run = (await client.get(asked.headers["location"])).json()
    body = asked.json()
    assert (body["success"], body["job"], body["dry_run"], body["status"]) == (True, "dunning", True, "requested")
    assert (run["id"], run["trigger"], run["requested_by"], run["status"]) == (
        body["run_id"], "person", "tester", "requested",
    )  # fmt: skip
    assert api.rows["job_runs"].count_documents({}) == 1
    entry = api.rows["audit_log"].find_one({"action": "job.run"})
    assert entry is not None
    assert (entry["targets"], entry["outcome"], entry["after"]["run_id"]) == (["dunning"], "done", body["run_id"])


@pytest.mark.parametrize("body", [None, {}, {"date": None}])
async def test_without_a_date_it_is_for_today(api: Api, body: dict[str, Any] | None) -> None:
    before = datetime.now(ZoneInfo("Asia/Jakarta")).date()
    async with api.client() as client:
        asked = (await client.post("/api/jobs/daily_summary/run", json=body)).json()
    assert asked["date"] in {str(before), str(datetime.now(ZoneInfo("Asia/Jakarta")).date())}


async def test_a_day_that_is_over_or_a_dry_run_of_one_to_come_may_be_chosen(api: Api) -> None:
    yesterday, later = str(TODAY - timedelta(days=1)), str(TODAY + timedelta(days=7))
    async with api.client() as client:
        past = await client.post("/api/jobs/dunning/run", json={"date": yesterday})
        ahead = await client.post("/api/jobs/dunning/run", json={"date": later, "dry_run": True})
    assert (past.json()["date"], ahead.json()["date"]) == (yesterday, later)
    assert {run["day"] for run in api.rows["job_runs"].find()} == {yesterday, later}


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"date": "tomorrow"}, "date", "2025-11-15"),
        ({"date": "2025-02-30"}, "date", "2025-11-15"),
        ({"date": "20251115"}, "date", "2025-11-15"),
        ({"date": 5}, "date", ""),
        ({"date": "0001-01-01"}, "date", "must lie between 2000-01-01 and"),
        ({"date": str(TODAY + timedelta(days=3))}, "date", "only a dry run may look ahead"),
        ({"date": str(TODAY + timedelta(days=600)), "dry_run": True}, "date", "must lie between"),
        ({"dry_run": "yes"}, "dry_run", ""),
        ({"day": "2025-11-15"}, "day", "known are date, dry_run"),
    ],
)
async def test_what_cannot_be_run_is_refused_by_name(api: Api, body: dict[str, Any], field: str, said: str) -> None:
    async with api.client() as client:
        error = assert_error(await client.post("/api/jobs/dunning/run", json=body), 422, "VALIDATION_ERROR")
    assert [one["field"] for one in error["fields"]] == [field]
    assert said in error["error"]
    assert api.rows["job_runs"].count_documents({}) == 0


async def test_an_unknown_job_is_answered_with_those_there_are(api: Api) -> None:
    async with api.client() as client:
        for answer in (
            await client.post("/api/jobs/dunnning/run", json={}),
            await client.get("/api/jobs/dunnning/runs"),
            await client.get("/api/jobs/dunnning/runs/x"),
        ):
            said = assert_error(answer, 404, "NOT_FOUND")["error"]
            assert said == "there is no job dunnning; known are daily-summary, dunning"
