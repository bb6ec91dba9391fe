"""The jobs: when each is due, how it went, and run it now."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.domain.refusals import Refused
from api_gateway.entrypoints.bodies import JobRunBody
from api_gateway.entrypoints.errors import STATUSES
from api_gateway.entrypoints.jobs import all_jobs, job_view, run_view
from api_gateway.entrypoints.pages.acting import do_once
from api_gateway.entrypoints.pages.addresses import JOBS
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.rendering import done, render
from api_gateway.entrypoints.pages.visitors import Operator
from api_gateway.entrypoints.reading import shaped
from api_gateway.entrypoints.uses import uses

router = APIRouter(prefix=JOBS, route_class=PageRoute, include_in_schema=False)
LATEST = 20


@router.get("")
async def look(request: Request, _: Operator) -> Response:
    return render(request, "jobs.html", {"jobs": await all_jobs(uses(request))})


@router.get("/{name}")
async def show(request: Request, name: str, _: Operator) -> Response:
    return await _shown(request, name)


@router.post("/{name}/run")
async def run(request: Request, name: str, visitor: Operator) -> Response:
    document: dict[str, object] = {"dry_run": bool(visitor.form.get("dry_run"))}
    if visitor.form.get("date"):
        document["date"] = visitor.form.get("date")

    async def ask(turn: Turn) -> str:
        body = shaped(document, JobRunBody)
        await uses(request).ask_for_run(name, body.date, visitor.caller, turn, dry_run=body.dry_run)
        return f"A scheduler {'tries' if body.dry_run else 'runs'} {name} in a moment."

    try:
        notice = await do_once(request, visitor, document, ask)
    except Refused as refused:
        if STATUSES[type(refused)] != 422:
            raise
        return await _shown(request, name, refused)
    return done(f"{JOBS}/{name}", notice)


async def _shown(request: Request, name: str, refused: Refused | None = None) -> Response:
    use = uses(request)
    job = await use.ask_for_run.job(name)
    runs = await use.jobs.page(job["_id"], None, LATEST)
    latest = await use.jobs.run(runs[0]["_id"]) if runs else None
    values = {
        "job": job_view(job, runs[0] if runs else None, use.clock.now()),
        "runs": [run_view(one) for one in runs],
        "lines": [] if latest is None else latest["lines"],
    }
    return render(request, "job.html", values, refused=refused)
