"""WhatsApp groups: keep them, try them, ask the providers for them."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.sync_groups import ASKED
from api_gateway.domain.access import ADMINS
from api_gateway.domain.refusals import Refused
from api_gateway.entrypoints.bodies import GroupBody, GroupChangeBody, GroupTestBody
from api_gateway.entrypoints.errors import STATUSES
from api_gateway.entrypoints.groups import add_group, group_view, test_group
from api_gateway.entrypoints.pages.acting import do_once
from api_gateway.entrypoints.pages.addresses import GROUPS
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.rendering import done, number, render
from api_gateway.entrypoints.pages.visitors import Admin, AnyVisitor, Form, Visitor
from api_gateway.entrypoints.paging import after_cursor, cursor_after
from api_gateway.entrypoints.reading import shaped
from api_gateway.entrypoints.uses import uses
from common.catalogue.definitions import GroupPurpose
from common.config.whatsapp import PROVIDERS

router = APIRouter(prefix=GROUPS, route_class=PageRoute, include_in_schema=False)
ON_A_PAGE = 50


@router.get("")
async def look(request: Request, visitor: AnyVisitor, cursor: str = "") -> Response:
    return await _page(request, visitor, cursor or None)


@router.post("/add")
async def add(request: Request, visitor: Admin) -> Response:
    document = _fields(visitor.form)

    async def keep(turn: Turn) -> str:
        added = await add_group(uses(request), visitor.caller, turn, shaped(dict(document), GroupBody))
        return f"Added {added['name']}."

    try:
        notice = await do_once(request, visitor, document, keep)
    except Refused as refused:
        if STATUSES[type(refused)] not in {409, 422}:
            raise
        return await _page(request, visitor, None, refused)
    return done(GROUPS, notice)


@router.post("/sync")
async def sync(request: Request, visitor: Admin) -> Response:
    results = await uses(request).sync_groups(None, visitor.caller)
    told = [
        f"{one.sender}: {number(one.found)} found" if one.state != ASKED else f"{one.sender}: no answer so far"
        for one in results
    ]
    return done(GROUPS, "; ".join(told))


@router.post("/{group_id}/activate")
async def activate(request: Request, group_id: str, visitor: Admin) -> Response:
    return await _change(request, visitor, group_id, "gets messages from now on", {"active": True})


@router.post("/{group_id}/deactivate")
async def deactivate(request: Request, group_id: str, visitor: Admin) -> Response:
    return await _change(request, visitor, group_id, "gets no more messages", {"active": False})


@router.post("/{group_id}/purpose")
async def purpose(request: Request, group_id: str, visitor: Admin) -> Response:
    wanted = visitor.form.get(f"purpose-{group_id}", most=40)
    return await _change(request, visitor, group_id, f"is for {wanted}", {"purpose": wanted})


@router.post("/{group_id}/remove")
async def remove(request: Request, group_id: str, visitor: Admin) -> Response:
    await uses(request).keep_groups.remove(group_id, visitor.caller)
    return done(GROUPS, "The group is not known any more.")


@router.post("/{group_id}/test")
async def test(request: Request, group_id: str, visitor: Admin) -> Response:
    async def send(turn: Turn) -> str:
        await test_group(uses(request), visitor.caller, turn, group_id, GroupTestBody())
        return "The test message is in the queue."

    return done(GROUPS, await do_once(request, visitor, {}, send))


async def _change(request: Request, visitor: Visitor, group_id: str, what: str, fields: Mapping[str, Any]) -> Response:
    body = shaped(dict(fields), GroupChangeBody)
    changed = await uses(request).keep_groups.change(group_id, body.model_dump(exclude_none=True), visitor.caller)
    return done(GROUPS, f"{changed['name']} {what}.")


def _fields(form: Form) -> Mapping[str, Any]:
    group_ids = {provider: value for provider in PROVIDERS if (value := form.get(f"id_{provider}", most=60))}
    return {"name": form.get("name", most=100), "purpose": form.get("purpose", most=40), "group_ids": group_ids}


async def _page(request: Request, visitor: Visitor, cursor: str | None, refused: Refused | None = None) -> Response:
    found = await uses(request).keep_groups.groups.page(after_cursor(cursor), ON_A_PAGE)
    values = {
        "items": [group_view(one, visitor.caller) for one in found],
        "older": cursor_after(found[-1]["_id"]) if len(found) == ON_A_PAGE else None,
        "purposes": list(GroupPurpose),
        "providers": list(PROVIDERS),
        "typed": _fields(visitor.form),
        "may_change": visitor.caller.role in ADMINS,
    }
    return render(request, "groups.html", values, refused=refused)
