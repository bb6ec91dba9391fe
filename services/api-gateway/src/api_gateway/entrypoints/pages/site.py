"""All pages together."""

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api_gateway.domain.refusals import missing
from api_gateway.entrypoints.pages import (
    assets,
    audit,
    broadcasts,
    deliveries,
    failures,
    groups,
    jobs,
    live,
    overview,
    routes,
    sign_in,
    templates,
    why,
)
from api_gateway.entrypoints.pages.addresses import HOME
from api_gateway.entrypoints.pages.page_route import (
    PageRoute,
    defect,
    guarded,
    is_for_people,
    nothing_here,
    refusal,
)
from api_gateway.entrypoints.pages.visitors import recognise

router = APIRouter(prefix=f"{HOME}/assets", route_class=PageRoute, include_in_schema=False)
PAGES = (audit, broadcasts, deliveries, failures, groups, jobs, live, overview, routes, sign_in, templates, why)
PARTS = (*(page.router for page in PAGES), router)
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("/{version}/{name}")
async def serve(version: str, name: str) -> Response:
    found = assets.find(name, version)
    if found is None:
        raise missing("file", name)
    return Response(found.content, media_type=found.media_type, headers=_FOR_EVER)


def install(app: FastAPI) -> None:
    """Add the pages; who looks for one that is not there gets a page, too."""
    for part in PARTS:
        app.include_router(part)
    on_http, on_defect = app.exception_handlers[HTTPException], app.exception_handlers[Exception]

    async def nothing(request: Request, error: Exception) -> Response:
        if _is_page(request) and isinstance(error, HTTPException) and error.status_code == 404:
            await recognise(request)
            return guarded(request, refusal(request, nothing_here()))
        return await on_http(request, error)  # type: ignore[misc,no-any-return]  # ours are all asynchronous

    async def failed(request: Request, error: Exception) -> Response:
        if _is_page(request):
            return guarded(request, defect(request))
        return await on_defect(request, error)  # type: ignore[misc,no-any-return]

    app.add_exception_handler(HTTPException, nothing)
    app.add_exception_handler(Exception, failed)


def _is_page(request: Request) -> bool:
    """Whether somebody in a browser waits for the answer."""
    here = request.url.path == HOME or request.url.path.startswith(f"{HOME}/")
    return here and is_for_people(request)
