"""A job that somebody asks for over the API is run by the scheduler, and its run shows how it went."""

from typing import Any

import pytest

from tests.support.kabar import Kabar, eventually

JOBS = {"sla-monitor", "dunning", "daily-summary", "weekly-performance", "provider-check", "retention"}
OFF = (None, None, False)
"""The schedules of the stack that is tested are off, so that nothing but a test runs a job."""


async def test_every_job_is_known_and_one_that_is_off_is_never_due(kabar: Kabar) -> None:
    jobs = {one["name"]: one for one in (await kabar.get("/api/jobs"))["items"]}
    assert set(jobs) >= JOBS
    assert not [name for name, one in jobs.items() if (one["schedule"], one["next_run"], one["overdue"]) != OFF]


@pytest.mark.parametrize("job", sorted(JOBS))
async def test_a_dry_run_asked_for_now_is_over_in_a_moment(kabar: Kabar, job: str) -> None:
    asked = await kabar.http.post(f"/api/jobs/{job}/run", json={"dry_run": True})
    assert asked.status_code == 202, asked.text

    async def ended() -> dict[str, Any] | None:
        run = await kabar.get(asked.headers["location"])
        return run if run["status"] in {"done", "failed", "missed"} else None

    run = await eventually(ended, seconds=20)
    assert (run["status"], run["dry_run"], run["trigger"], run["errors"]) == ("done", True, "person", [])
