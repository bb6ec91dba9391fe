"""/api/api-keys"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.domain.api_key import ApiKey
from api_gateway.domain.moments import moment
from api_gateway.entrypoints import answers
from api_gateway.entrypoints.answering import JSON, encode
from api_gateway.entrypoints.authentication import Admin
from api_gateway.entrypoints.bodies import ApiKeyBody
from api_gateway.entrypoints.openapi import NO_BODY, describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_cursor, cursor_after
from api_gateway.entrypoints.posting import answered, post, post_bare
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import Uses, uses

router = APIRouter(prefix="/api/api-keys", tags=["API keys"])
_EXAMPLE = {"name": "billing portal", "scopes": ["notifications:write", "notifications:read"]}
_NEW = describe(ApiKeyBody, {"portal": _EXAMPLE}, idempotent=True)
SHOWN_ONCE = "the key is shown once and was; revoke this one and make another if it is lost"


@router.get(
    "", response_model=answers.Page[answers.ApiKey], summary="Every key of a service, newest first, without its secret"
)
async def list_keys(request: Request, _: Admin, limit: Limit = 50, cursor: Cursor = None) -> Response:
    found = await uses(request).api_keys.page(after_cursor(cursor), limit)
    last = found[-1].id if len(found) == limit else None
    return JSON({"items": [_view(uses(request), key) for key in found], "next_cursor": cursor_after(last)})


@router.post(
    "",
    response_model=answers.ApiKeyIssued,
    status_code=201,
    summary="Make a key; the answer is the only place it is shown",
    openapi_extra=_NEW,
)
async def issue(request: Request, caller: Admin) -> Response:
    document = await read_json(request)

    async def act(turn: Turn) -> Answer:
        body = shaped(document, ApiKeyBody)
        expires_at = None if body.expires_at is None else moment("expires_at", body.expires_at, uses(request).zone)
        identity = turn.notification_id.removeprefix("ntf_")
        async with uses(request).audit.changing(caller, "api-key.create", identity) as change:
            key, shown = await uses(request).issue_api_keys.issue(
                caller, identity, name=body.name.strip(), scopes=body.scopes, expires_at=expires_at
            )
            change.after = {"name": key.name, "scopes": key.scopes, "expires_at": key.expires_at}
        view = {"success": True, **_view(uses(request), key)}
        # What is kept for a repeated request must not hold the secret.
        kept = encode({**view, "key": None, "warning": SHOWN_ONCE})
        return Answer(201, kept, shown_once=encode({**view, "key": shown}))

    return await post(request, caller, document, act)


@router.delete(
    "/{key_id}",
    response_model=answers.ApiKeyDone,
    summary="Revoke a key: refused everywhere within a second",
    openapi_extra=NO_BODY,
)
async def revoke(request: Request, key_id: str, caller: Admin) -> Response:
    async def act(_: Turn) -> Answer:
        before = await uses(request).issue_api_keys.get(key_id)
        shown = {"name": before.name, "scopes": before.scopes, "revoked_at": before.revoked_at}
        async with uses(request).audit.changing(caller, "api-key.revoke", key_id, before=shown) as change:
            key = await uses(request).issue_api_keys.revoke(key_id)
            change.after = {"revoked_at": key.revoked_at}
        return answered({"success": True, **_view(uses(request), key)})

    return await post_bare(request, caller, act)


def _view(use: Uses, key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "key": f"kbr_{key.id}_…",
        "scopes": key.scopes,
        "status": key.status(use.clock.now()),
        "created_by": key.created_by,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
