"""/api/whatsapp-groups"""

import re
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Accepted, Turn
from api_gateway.application.ports import Answer
from api_gateway.application.sync_groups import ASKED
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, invalid
from api_gateway.domain.submission import Submission
from api_gateway.entrypoints import answers, views
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Admin, Reader
from api_gateway.entrypoints.bodies import GroupBody, GroupChangeBody, GroupSyncBody, GroupTestBody
from api_gateway.entrypoints.openapi import NO_BODY, describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_cursor, cursor_after
from api_gateway.entrypoints.posting import answered, post, post_bare, removed
from api_gateway.entrypoints.queue import TEST_MESSAGE
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import Uses, uses
from common.contracts.documents import GroupDocument
from common.contracts.vocabulary import NotificationType, Priority, Role
from common.kernel.phone import InvalidPhone, is_group, mask, normalise_recipient

router = APIRouter(prefix="/api/whatsapp-groups", tags=["whatsapp groups"])
_BARE = re.compile(r"\d{15,20}|\d{8,15}-\d{10}", re.ASCII)
_EXAMPLE = {"name": "Manajemen", "purpose": "management", "group_ids": {"fonnte": "120363000000000001@g.us"}}
_ADD = describe(GroupBody, {"management": _EXAMPLE}, idempotent=True)
_CHANGE = describe(GroupChangeBody, {"purpose": {"purpose": "team"}}, idempotent=True)
_SYNC = describe(GroupSyncBody, {"one": {"provider": "fonnte"}}, idempotent=True, optional=True)
_TEST = describe(GroupTestBody, {"text": {"message": "Uji coba grup."}}, idempotent=True, optional=True)


@router.get("", response_model=answers.Page[answers.Group], summary="WhatsApp groups")
async def list_groups(request: Request, caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> Response:
    found = await uses(request).keep_groups.groups.page(after_cursor(cursor), limit)
    last = found[-1]["_id"] if len(found) == limit else None
    return JSON({"items": [group_view(one, caller) for one in found], "next_cursor": cursor_after(last)})


@router.post("", response_model=answers.GroupDone, status_code=201, summary="Add a group", openapi_extra=_ADD)
async def add(request: Request, caller: Admin) -> Response:
    document = await read_json(request)

    async def act(turn: Turn) -> Answer:
        added = await add_group(uses(request), caller, turn, shaped(document, GroupBody))
        location = f"/api/whatsapp-groups/{added['_id']}"
        return answered({"success": True, **group_view(added, caller)}, 201, location)

    return await post(request, caller, document, act)


@router.post(
    "/sync",
    response_model=answers.GroupsAsked,
    responses={202: {"description": "Not every provider has answered so far", "model": answers.GroupsAsked}},
    summary="Ask the providers which groups there are",
    openapi_extra=_SYNC,
)
async def sync(request: Request, caller: Admin) -> Response:
    document = await read_json(request, optional=True)

    async def act(_: Turn) -> Answer:
        body = shaped(document, GroupSyncBody)
        results = await uses(request).sync_groups(body.provider, caller)
        items = [{"sender": one.sender, "state": one.state, "found": one.found, "error": one.error} for one in results]
        over = all(one.state != ASKED for one in results)
        return answered({"success": True, "senders": items}, 200 if over else 202)

    return await post(request, caller, document, act)


@router.get("/{group_id}", response_model=answers.Group, summary="A group")
async def show(request: Request, group_id: str, caller: Reader) -> Response:
    return JSON(group_view(await uses(request).keep_groups.get(group_id), caller))


@router.patch("/{group_id}", response_model=answers.GroupDone, summary="Change a group", openapi_extra=_CHANGE)
async def change(request: Request, group_id: str, caller: Admin) -> Response:
    document = await read_json(request)

    async def act(_: Turn) -> Answer:
        body = shaped(document, GroupChangeBody)
        fields = body.model_dump(exclude_none=True)
        if body.group_ids is not None:
            fields["group_ids"] = known_group_ids(body.group_ids)
        changed = await uses(request).keep_groups.change(group_id, fields, caller)
        return answered({"success": True, **group_view(changed, caller)})

    return await post(request, caller, document, act)


@router.delete("/{group_id}", response_model=answers.Removed, summary="Remove a group", openapi_extra=NO_BODY)
async def remove(request: Request, group_id: str, caller: Admin) -> Response:
    async def act(turn: Turn) -> Answer:
        return await removed(turn, uses(request).keep_groups.remove(group_id, caller), id=group_id)

    return await post_bare(request, caller, act)


@router.post(
    "/{group_id}/test",
    response_model=answers.Accepted,
    status_code=202,
    summary="Send a test message to a group",
    openapi_extra=_TEST,
)
async def test(request: Request, group_id: str, caller: Admin) -> Response:
    document = await read_json(request, optional=True)

    async def act(turn: Turn) -> Answer:
        accepted = await test_group(uses(request), caller, turn, group_id, shaped(document, GroupTestBody))
        return answered(views.accepted(accepted), 202, f"/api/notifications/{accepted.notification['_id']}")

    return await post(request, caller, document, act)


async def add_group(use: Uses, caller: Caller, turn: Turn, body: GroupBody) -> GroupDocument:
    fields = body.model_dump() | {"group_ids": known_group_ids(body.group_ids)}
    return await use.keep_groups.add(turn.notification_id.replace("ntf_", "grp_", 1), fields, caller)


async def test_group(use: Uses, caller: Caller, turn: Turn, group_id: str, body: GroupTestBody) -> Accepted:
    """Accept a message to it, through the providers that know it."""
    group = await use.keep_groups.get(group_id)
    providers = tuple(group["group_ids"])
    submission = Submission(
        NotificationType.CUSTOM,
        to=[group["group_ids"][providers[0]]],
        message=body.message or TEST_MESSAGE,
        priority=Priority.HIGH,
        providers=providers,
    )
    async with use.audit.changing(caller, "group.test", group_id) as noted:
        accepted = await use.accept(submission, caller, turn)
        noted.after = {"notification_id": accepted.notification["_id"]}
    return accepted


def known_group_ids(given: dict[Any, str]) -> dict[str, str]:
    found = {}
    for provider, value in given.items():
        name = f"group_ids.{provider}"
        written = value.strip()
        try:
            recipient = normalise_recipient(f"{written}@g.us" if _BARE.fullmatch(written) else written)
        except InvalidPhone as error:
            raise invalid(name, str(error), Code.INVALID_PHONE) from error
        if not is_group(recipient):
            raise invalid(name, "a person's number; a group looks like 120363000000000001@g.us", Code.INVALID_PHONE)
        found[str(provider)] = recipient
    return found


def group_view(group: GroupDocument, caller: Caller) -> dict[str, Any]:
    """What providers call it is for admins; an older name has somebody's number in it."""
    whole = caller.role == Role.ADMIN
    return {
        "id": group["_id"],
        "name": group["name"],
        "purpose": group["purpose"],
        "group_ids": {provider: one if whole else mask(one) for provider, one in group["group_ids"].items()},
        "active": group["active"],
        "created_by": views.by(group.get("created_by")),
        "created_at": group.get("created_at"),
    }
