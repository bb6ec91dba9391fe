"""/api/suppressions"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.domain.refusals import Code, invalid
from api_gateway.entrypoints import answers
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Admin
from api_gateway.entrypoints.bodies import SuppressionBody
from api_gateway.entrypoints.openapi import NO_BODY, describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_cursor, cursor_after
from api_gateway.entrypoints.posting import answered, post, post_bare, removed
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import uses
from common.contracts.documents import SuppressionDocument
from common.kernel.email import InvalidEmail, is_email, looks_like_email, normalise_email
from common.kernel.phone import InvalidPhone, mask, mask_in_text, normalise_recipient
from common.mongo.suppressions import DIGEST

router = APIRouter(prefix="/api/suppressions", tags=["suppressions"])
_LISTED = "sup_"
ERASED = "(erased)"
"""Shown where nobody knows any more who it is."""
_ADD = describe(
    SuppressionBody,
    {"by a person": {"recipient": "6281200000001", "reason": "blocked", "note": "meminta lewat telepon"}},
    idempotent=True,
)


@router.get("", response_model=answers.Page[answers.Suppression], summary="Recipients nobody may contact, newest first")
async def list_suppressions(request: Request, _: Admin, limit: Limit = 50, cursor: Cursor = None) -> Response:
    found = await uses(request).suppressions.page(after_cursor(cursor, _LISTED), limit)
    last = found[-1].get("listed_as") if len(found) == limit else None
    return JSON({"items": [view(one) for one in found], "next_cursor": cursor_after(last)})


@router.post(
    "",
    response_model=answers.SuppressionAdded,
    responses={201: {"description": "It was not listed before", "model": answers.SuppressionAdded}},
    summary="Contact a recipient no more",
    openapi_extra=_ADD,
)
async def add(request: Request, caller: Admin) -> Response:
    document = await read_json(request)

    async def act(_: Turn) -> Answer:
        body = shaped(document, SuppressionBody)
        recipient = _number(body.recipient)
        done = await uses(request).suppress.add(recipient, body.reason, body.note, caller)
        told = {"success": True, **view(done.suppression), "ended": done.ended}
        return answered(told, 201 if done.new else 200)

    return await post(request, caller, document, act)


@router.get("/{recipient}", response_model=answers.Suppression, summary="Whether and why a recipient is not contacted")
async def show(request: Request, recipient: str, _: Admin) -> Response:
    return JSON(view(await uses(request).suppress.get(await _named(request, recipient))))


@router.delete(
    "/{recipient}", response_model=answers.SuppressionLifted, summary="Contact a recipient again", openapi_extra=NO_BODY
)
async def lift(request: Request, recipient: str, caller: Admin) -> Response:
    async def lifting() -> None:
        await uses(request).suppress.lift(await _named(request, recipient), caller)

    async def act(turn: Turn) -> Answer:
        which = {"id": recipient} if recipient.startswith(_LISTED) else {"recipient": mask(_number(recipient))}
        return await removed(turn, lifting(), **which)

    return await post_bare(request, caller, act)


async def _named(request: Request, value: str) -> str:
    """The recipient a path names by its number or, as lists do, by the suppression's `id`."""
    if value.startswith(_LISTED):
        return (await uses(request).suppress.listed(value))["_id"]
    return _number(value)


def _number(value: str) -> str:
    try:
        return normalise_email(value) if looks_like_email(value) else normalise_recipient(value)
    except InvalidPhone as error:
        raise invalid("recipient", str(error), Code.INVALID_PHONE) from error
    except InvalidEmail as error:
        raise invalid("recipient", str(error), Code.INVALID_EMAIL) from error


def view(suppression: SuppressionDocument) -> dict[str, Any]:
    note, recipient = suppression["note"], suppression["_id"]
    erased = recipient.startswith(DIGEST) and not is_email(recipient)
    return {
        "id": suppression.get("listed_as"),
        "recipient": ERASED if erased else mask(recipient),
        "reason": suppression["reason"],
        "note": None if note is None else mask_in_text(note),
        "created_by": mask_in_text(suppression["created_by"]),
        "created_at": suppression["created_at"],
    }
