"""/api/webhook-endpoints: where portals are told what becomes of deliveries."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.domain.access import Caller
from api_gateway.domain.webhook_endpoint import Endpoint, Message, MessageStatus
from api_gateway.entrypoints import answers
from api_gateway.entrypoints.answering import JSON, encode
from api_gateway.entrypoints.authentication import Admin
from api_gateway.entrypoints.bodies import EndpointBody, EndpointChangeBody
from api_gateway.entrypoints.openapi import NO_BODY, describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_moment, cursor_after, moment_and
from api_gateway.entrypoints.posting import answered, post, post_bare, removed
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import Uses, uses

router = APIRouter(prefix="/api/webhook-endpoints", tags=["webhook endpoints"])
_NEW = describe(
    EndpointBody,
    {"portal": {"url": "https://portal.example/kabar", "events": ["delivery.*"], "description": "customer portal"}},
    idempotent=True,
)
_CHANGE = describe(EndpointChangeBody, {"enable": {"enabled": True}}, idempotent=True)
SHOWN_ONCE = "the secret is shown once and was; rotate it if it is lost"


@router.get(
    "",
    response_model=answers.Page[answers.WebhookEndpoint],
    summary="Every endpoint, newest first, without its secrets",
)
async def list_endpoints(request: Request, _: Admin) -> Response:
    found = await uses(request).manage_endpoints.endpoints.all()
    return JSON({"items": [_view(uses(request), one) for one in found], "next_cursor": None})


@router.post(
    "",
    response_model=answers.WebhookEndpointSecret,
    status_code=201,
    summary="Register one; its secret is only shown in this answer",
    openapi_extra=_NEW,
)
async def create(request: Request, caller: Admin) -> Response:
    document = await read_json(request)

    async def act(turn: Turn) -> Answer:
        use, body = uses(request), shaped(document, EndpointBody)
        identity = turn.notification_id.replace("ntf_", "whe_", 1)
        async with use.audit.changing(caller, "webhook-endpoint.create", identity) as noted:
            made = await use.manage_endpoints.create(
                identity, caller, url=body.url, events=body.events, description=body.description
            )
            noted.after = _audited(made)
        await use.tell_portals.refresh()
        return _secret_once(201, _view(use, made), made.secrets[0].value)

    return await post(request, caller, document, act)


@router.get("/{endpoint_id}", response_model=answers.WebhookEndpoint, summary="One endpoint")
async def show(request: Request, endpoint_id: str, _: Admin) -> Response:
    return JSON(_view(uses(request), await uses(request).manage_endpoints.get(endpoint_id)))


@router.patch(
    "/{endpoint_id}",
    response_model=answers.WebhookEndpointDone,
    summary="Change its url, events or description; enable or disable it",
    openapi_extra=_CHANGE,
)
async def change(request: Request, endpoint_id: str, caller: Admin) -> Response:
    document = await read_json(request)

    async def act(_: Turn) -> Answer:
        use, body = uses(request), shaped(document, EndpointChangeBody)
        before = _audited(await use.manage_endpoints.get(endpoint_id))
        async with use.audit.changing(caller, "webhook-endpoint.change", endpoint_id, before=before) as noted:
            changed = await use.manage_endpoints.change(
                endpoint_id, url=body.url, events=body.events, description=body.description, enabled=body.enabled
            )
            noted.after = _audited(changed)
        await use.tell_portals.refresh()
        return answered({"success": True, **_view(use, changed)})

    return await post(request, caller, document, act)


@router.delete(
    "/{endpoint_id}",
    response_model=answers.Removed,
    summary="Remove it with everything it was to be told",
    openapi_extra=NO_BODY,
)
async def remove(request: Request, endpoint_id: str, caller: Admin) -> Response:
    async def act(turn: Turn) -> Answer:
        return await removed(turn, _remove(uses(request), endpoint_id, caller), id=endpoint_id)

    return await post_bare(request, caller, act)


@router.post(
    "/{endpoint_id}/rotate-secret",
    response_model=answers.WebhookEndpointSecret,
    summary="A new secret; the old one also signs for a day",
    openapi_extra=NO_BODY,
)
async def rotate(request: Request, endpoint_id: str, caller: Admin) -> Response:
    async def act(turn: Turn) -> Answer:
        use = uses(request)
        async with use.audit.changing(caller, "webhook-endpoint.rotate", endpoint_id):
            secret = await use.manage_endpoints.rotate(endpoint_id, turn.notification_id)
        await use.tell_portals.refresh()
        return _secret_once(200, _view(use, await use.manage_endpoints.get(endpoint_id)), secret.value)

    return await post_bare(request, caller, act)


@router.post(
    "/{endpoint_id}/test",
    response_model=answers.WebhookTested,
    summary="Call it once with webhook.test",
    openapi_extra=NO_BODY,
)
async def test(request: Request, endpoint_id: str, caller: Admin) -> Response:
    async def act(_: Turn) -> Answer:
        use = uses(request)
        async with use.audit.changing(caller, "webhook-endpoint.test", endpoint_id) as noted:
            called = await use.tell_portals.test(await use.manage_endpoints.get(endpoint_id))
            noted.after = {"status": called.status, "http_status": called.http_status}
        return answered({"success": called.status is MessageStatus.DELIVERED, "http_status": called.http_status,
                         "error": called.error})  # fmt: skip

    return await post_bare(request, caller, act)


@router.get(
    "/{endpoint_id}/messages",
    response_model=answers.Page[answers.WebhookMessage],
    summary="What it was and is to be told, newest first",
)
async def list_messages(
    request: Request,
    endpoint_id: str,
    _: Admin,
    status: MessageStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    use = uses(request).manage_endpoints
    await use.get(endpoint_id)
    found = await use.messages.page(endpoint_id, status, after_moment(cursor), limit)
    last = None if len(found) < limit else moment_and(found[-1].created_at, found[-1].id)
    return JSON({"items": [_message(one) for one in found], "next_cursor": cursor_after(last)})


@router.post(
    "/{endpoint_id}/messages/{message_id}/retry",
    response_model=answers.WebhookMessageDone,
    summary="Call it again, from the first try on",
    openapi_extra=NO_BODY,
)
async def retry(request: Request, endpoint_id: str, message_id: str, caller: Admin) -> Response:
    async def act(_: Turn) -> Answer:
        use = uses(request)
        async with use.audit.changing(caller, "webhook-message.retry", [endpoint_id, message_id]):
            message = await use.manage_endpoints.retry(endpoint_id, message_id)
        use.tell_portals.ring()
        return answered({"success": True, **_message(message)})

    return await post_bare(request, caller, act)


async def _remove(use: Uses, endpoint_id: str, caller: Caller) -> None:
    before = _audited(await use.manage_endpoints.get(endpoint_id))
    async with use.audit.changing(caller, "webhook-endpoint.remove", endpoint_id, before=before):
        await use.manage_endpoints.endpoints.remove(endpoint_id)
    await use.tell_portals.refresh()


def _secret_once(status: int, view: dict[str, Any], secret: str) -> Answer:
    """What is kept for a repeated request must not hold the secret."""
    shown = {"success": True, **view}
    kept = encode({**shown, "secret": None, "warning": SHOWN_ONCE})
    return Answer(status, kept, shown_once=encode({**shown, "secret": secret}))


def _view(use: Uses, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": endpoint.events,
        "description": endpoint.description,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason,
        "failing_since": endpoint.failing_since,
        "secrets": len(endpoint.keys(use.clock.now())),
        "created_by": endpoint.created_by,
        "created_at": endpoint.created_at,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "event_id": message.event_id,
        "event": message.event,
        "status": message.status,
        "calls": message.calls,
        "http_status": message.http_status,
        "error": message.error,
        "created_at": message.created_at,
        "called_at": message.called_at,
        "next_call_at": message.wake_at,
    }


def _audited(endpoint: Endpoint) -> dict[str, Any]:
    """Without what a url may carry behind its path."""
    return {"url": endpoint.url.partition("?")[0], "events": endpoint.events, "enabled": endpoint.enabled}
