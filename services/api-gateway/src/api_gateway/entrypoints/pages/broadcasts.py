"""What went to many: how far each is, and call one off."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api_gateway.domain.access import SENDING
from api_gateway.entrypoints import views
from api_gateway.entrypoints.notifications import call_off, progress_of
from api_gateway.entrypoints.pages.addresses import BROADCASTS
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.rendering import done, number, render
from api_gateway.entrypoints.pages.visitors import AnyVisitor
from api_gateway.entrypoints.paging import after_moment, cursor_after, moment_and
from api_gateway.entrypoints.uses import uses
from common.contracts.vocabulary import NotificationType

router = APIRouter(prefix=BROADCASTS, route_class=PageRoute, include_in_schema=False)
ON_A_PAGE = 10


@router.get("")
async def look(request: Request, _: AnyVisitor, cursor: Annotated[str, Query(max_length=200)] = "") -> Response:
    after = after_moment(cursor or None)
    found = await uses(request).notifications.to_many(None if after is None else after[0], ON_A_PAGE)
    counted = await uses(request).notifications.progress_of([one["_id"] for one in found])
    last = None if len(found) < ON_A_PAGE else moment_and(found[-1]["created_at"], found[-1]["_id"])
    items = [views.notification(one, counted.get(one["_id"], {})) for one in found]
    return render(request, "broadcasts.html", {"items": items, "older": cursor_after(last)})


@router.get("/{notification_id}")
async def show(request: Request, notification_id: str, visitor: AnyVisitor) -> Response:
    view = await progress_of(uses(request), notification_id)
    waits = view["waiting"] > 0 or view["not_yet_planned"] > 0
    may_cancel = visitor.caller.role in SENDING[NotificationType(view["type"])] and waits
    values = {"broadcast": view, "waits": waits, "may_cancel": may_cancel}
    template = "parts/progress.html" if request.headers.get("hx-request") else "broadcast.html"
    return render(request, template, values)


@router.get("/{notification_id}/cancel")
async def ask_to_cancel(request: Request, notification_id: str, _: AnyVisitor) -> Response:
    return render(request, "call_off.html", {"broadcast": await progress_of(uses(request), notification_id)})


@router.post("/{notification_id}/cancel")
async def cancel(request: Request, notification_id: str, visitor: AnyVisitor) -> Response:
    ended = await call_off(uses(request), visitor.caller, notification_id)
    return done(f"{BROADCASTS}/{notification_id}", f"Called off: {number(ended.cancelled)} that waited.")
