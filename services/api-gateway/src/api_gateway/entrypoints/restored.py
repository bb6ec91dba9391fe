"""POST /admin/restored: the database is what a backup made of it."""

from dataclasses import asdict

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.entrypoints import answers
from api_gateway.entrypoints.authentication import Admin
from api_gateway.entrypoints.openapi import NO_BODY
from api_gateway.entrypoints.posting import answered, post_bare
from api_gateway.entrypoints.uses import uses

router = APIRouter(prefix="/admin", tags=["queue"])


@router.post(
    "/restored",
    response_model=answers.Held,
    summary="After restoring a backup, before anything is sent: hold what it shows as not over",
    openapi_extra=NO_BODY,
)
async def hold(request: Request, caller: Admin) -> Response:
    """Refused while a gateway or a scheduler runs. Call it again while there is `more`."""

    async def act(_: Turn) -> Answer:
        async with uses(request).audit.changing(caller, "database.restored", "database") as change:
            held = asdict(await uses(request).hold_unfinished())
            change.after = held
        return answered({"success": True, **held})

    return await post_bare(request, caller, act)
