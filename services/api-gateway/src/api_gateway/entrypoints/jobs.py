"""/api/jobs"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.entrypoints import answers, job_answers, views
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Operator
from api_gateway.entrypoints.bodies import JobRunBody
from api_gateway.entrypoints.openapi import describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_moment, cursor_after, moment_and
from api_gateway.entrypoints.posting import answered, post
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import Uses, uses
from common.contracts.documents import JobDocument, JobRunDocument
from common.kernel.phone import mask_in_text

OVERDUE_AFTER = timedelta(minutes=1)
router = APIRouter(prefix="/api/jobs", tags=["jobs"])
_EXAMPLES: dict[str, Any] = {
    "now": {},
    "dry": {"dry_run": True},
    "another day": {"date": "2025-11-15", "dry_run": False},
}
_RUN = describe(JobRunBody, _EXAMPLES, idempotent=True, optional=True)
_ASKED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "A scheduler begins it in a moment; `Location` shows what becomes of it",
        "content": {
            "application/json": {
                "example": {
                    "success": True,
                    "run_id": "run_019a8b7c6d5e0123456789abcdef",
                    "job": "dunning",
                    "date": "2025-11-15",
                    "dry_run": False,
                    "status": "requested",
                }
            }
        },
    }
}


@router.get("", response_model=answers.Page[job_answers.Job], summary="Every job: when it is due, how it went last")
async def list_jobs(request: Request, _: Operator) -> Response:
    return JSON({"items": await all_jobs(uses(request)), "next_cursor": None})


@router.get("/{name}/runs", response_model=answers.Page[job_answers.JobRun], summary="Runs of a job, the latest first")
async def list_runs(request: Request, name: str, _: Operator, limit: Limit = 50, cursor: Cursor = None) -> Response:
    job = await uses(request).ask_for_run.job(named(name))
    found = await uses(request).jobs.page(job["_id"], after_moment(cursor), limit)
    last = None if len(found) < limit else moment_and(found[-1]["due_at"], found[-1]["_id"])
    return JSON({"items": [run_view(one) for one in found], "next_cursor": cursor_after(last)})


@router.get("/{name}/runs/{run_id}", response_model=job_answers.JobRunShown, summary="One run with its parts")
async def show_run(request: Request, name: str, run_id: str, _: Operator) -> Response:
    found = await uses(request).ask_for_run.run(named(name), run_id)
    parts = {"lines": found["lines"], "claimed_by": found["claimed_by"], "claims": found["claims"]}
    return JSON({**run_view(found), **parts})


@router.post(
    "/{name}/run",
    status_code=202,
    response_model=job_answers.JobRunAsked,
    responses=_ASKED,
    summary="Run it now, for today or another day",
    openapi_extra=_RUN,
)
async def run(request: Request, name: str, caller: Operator) -> Response:
    document = await read_json(request, optional=True)

    async def act(turn: Turn) -> Answer:
        body = shaped(document, JobRunBody)
        asked = await uses(request).ask_for_run(named(name), body.date, caller, turn, dry_run=body.dry_run)
        told = {"success": True, "run_id": asked["_id"], "job": asked["job"], "date": asked["day"]}
        return answered(
            {**told, "dry_run": asked["dry_run"], "status": asked["status"]},
            202,
            f"/api/jobs/{asked['job']}/runs/{asked['_id']}",
        )

    return await post(request, caller, document, act)


async def all_jobs(use: Uses) -> list[dict[str, Any]]:
    """When each is due, and how it went last."""
    jobs, now = await use.jobs.all(), use.clock.now()
    runs = await asyncio.gather(*(use.jobs.last_run(job["_id"]) for job in jobs))
    return [job_view(job, run, now) for job, run in zip(jobs, runs, strict=True)]


def named(name: str) -> str:
    """Jobs are spelled with dashes; their settings, with underscores, are understood as well."""
    return name.replace("_", "-")


def job_view(job: JobDocument, last_run: JobRunDocument | None, now: datetime) -> dict[str, Any]:
    next_run = job["next_run"]
    return {
        "name": job["_id"],
        "schedule": job["schedule"],
        "timezone": job["timezone"],
        "next_run": next_run,
        "overdue": next_run is not None and now - next_run > OVERDUE_AFTER,
        "oldest_seconds": job["oldest_seconds"],
        "longest_seconds": job["longest_seconds"],
        "last_run": None if last_run is None else run_view(last_run),
    }


def run_view(run: JobRunDocument) -> dict[str, Any]:
    return {
        "id": run["_id"],
        "job": run["job"],
        "due_at": run["due_at"],
        "date": run["day"],
        "trigger": run["trigger"],
        "requested_by": views.by(run["requested_by"]),
        "dry_run": run["dry_run"],
        "status": run["status"],
        "started_at": run["started_at"],
        "finished_at": run["finished_at"],
        "found": run["found"],
        "dispatched": run["dispatched"],
        "skipped": run["skipped"],
        "errors": [mask_in_text(error) for error in run["errors"]],
    }
