"""/api/erasures"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.application.request_erasure import Wanted
from api_gateway.domain.refusals import Code, invalid
from api_gateway.entrypoints import answers
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Admin
from api_gateway.entrypoints.bodies import ErasureBody
from api_gateway.entrypoints.openapi import describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_cursor, cursor_after
from api_gateway.entrypoints.posting import answered, post
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import uses
from common.contracts.documents import ErasureDocument
from common.kernel.email import InvalidEmail, mask_email, normalise_email
from common.kernel.phone import InvalidPhone, is_group, mask, mask_in_text, normalise_recipient

router = APIRouter(prefix="/api/erasures", tags=["erasures"])
_REQUEST = describe(
    ErasureBody,
    {
        "by their number": {"phone": "6281200000001"},
        "as the directory knows them": {"customer_id": "C-1001"},
        "only counted": {"email": "siti@example.com", "dry_run": True},
    },
    idempotent=True,
)


@router.get("", response_model=answers.Page[answers.Erasure], summary="Who was erased, newest first")
async def list_erasures(request: Request, _: Admin, limit: Limit = 50, cursor: Cursor = None) -> Response:
    found = await uses(request).request_erasure.erasures.page(after_cursor(cursor, "era_"), limit)
    last = found[-1]["_id"] if len(found) == limit else None
    return JSON({"items": [_view(one) for one in found], "next_cursor": cursor_after(last)})


@router.post(
    "",
    response_model=answers.ErasureRequested,
    status_code=202,
    summary="Erase somebody, or count what there is",
    openapi_extra=_REQUEST,
)
async def request_erasure(request: Request, caller: Admin) -> Response:
    document = await read_json(request)

    async def act(turn: Turn) -> Answer:
        body = shaped(document, ErasureBody)
        erasure_id = turn.notification_id.replace("ntf_", "era_", 1)
        asked = await uses(request).request_erasure(erasure_id, _wanted(body), dry_run=body.dry_run, caller=caller)
        view = {"success": True, "erasure_id": erasure_id, **_view(asked)}
        return answered(view, 202, f"/api/erasures/{erasure_id}")

    return await post(request, caller, document, act)


@router.get("/{erasure_id}", response_model=answers.Erasure, summary="How far an erasure is")
async def show(request: Request, erasure_id: str, _: Admin) -> Response:
    return JSON(_view(await uses(request).request_erasure.get(erasure_id)))


def _wanted(body: ErasureBody) -> Wanted:
    given = {name: value for name in ("phone", "email", "customer_id") if (value := getattr(body, name)) is not None}
    if len(given) != 1:
        raise invalid("phone", "name the person by one of phone, email and customer_id")
    (by,) = given
    if by == "customer_id":
        return Wanted(by, given[by], mask_in_text(given[by]))
    try:
        value = normalise_recipient(given[by]) if by == "phone" else normalise_email(given[by])
    except (InvalidPhone, InvalidEmail) as error:
        code = Code.INVALID_PHONE if by == "phone" else Code.INVALID_EMAIL
        raise invalid(by, str(error), code) from error
    if is_group(value):
        raise invalid(by, "a group is not a person; remove it with DELETE /api/whatsapp-groups/{id}")
    return Wanted(by, value, mask(value) if by == "phone" else mask_email(value))


def _view(erasure: ErasureDocument) -> dict[str, Any]:
    return {
        "id": erasure["_id"],
        "by": erasure["by"],
        "named": mask_in_text(erasure["named"]),
        "dry_run": erasure["dry_run"],
        "status": erasure["status"],
        "waits_for": erasure["waits_for"],
        "counts": erasure["counts"],
        "requested_by": mask_in_text(erasure["requested_by"]),
        "requested_at": erasure["requested_at"],
        "started_at": erasure["started_at"],
        "finished_at": erasure["finished_at"],
    }
