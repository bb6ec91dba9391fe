"""Who changed what."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api_gateway.domain.refusals import Refused
from api_gateway.entrypoints.audit_log import entries, entry_view
from api_gateway.entrypoints.pages.addresses import AUDIT
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.rendering import render
from api_gateway.entrypoints.pages.visitors import Admin
from api_gateway.entrypoints.paging import cursor_after
from api_gateway.entrypoints.uses import uses

router = APIRouter(prefix=AUDIT, route_class=PageRoute, include_in_schema=False)
ON_A_PAGE = 50
Text = Annotated[str, Query(max_length=200)]


@router.get("")
async def look(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    _: Admin,
    actor: Text = "",
    action: Text = "",
    target: Text = "",
    since: Text = "",
    until: Text = "",
    cursor: Text = "",
) -> Response:
    given = {"actor": actor, "action": action, "target": target, "since": since, "until": until}
    asked = {name: value.strip() for name, value in given.items()}
    wanted = {name: value or None for name, value in asked.items()}
    values: dict[str, Any] = {"asked": asked, "items": [], "older": None}
    try:
        found = await entries(uses(request), **wanted, limit=ON_A_PAGE, cursor=cursor or None)
    except Refused as refused:
        return render(request, "audit.html", values, refused=refused)
    if len(found) == ON_A_PAGE:
        filled = {name: value for name, value in asked.items() if value}
        values["older"] = urlencode({**filled, "cursor": cursor_after(found[-1].id)})
    return render(request, "audit.html", {**values, "items": [entry_view(entry) for entry in found]})
