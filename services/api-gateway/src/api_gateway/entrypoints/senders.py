"""/api/senders"""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import missing
from api_gateway.entrypoints import answers, views
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Operator, SenderReader
from api_gateway.entrypoints.bodies import NoBody
from api_gateway.entrypoints.openapi import describe
from api_gateway.entrypoints.posting import answered, post
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import Uses, uses
from common.contracts.documents import SenderDocument
from common.telemetry.logs import logger

router = APIRouter(prefix="/api/senders", tags=["senders"])
_ACTION = describe(NoBody, {}, idempotent=True, optional=True)
log = logger()


@router.get("", response_model=answers.Page[answers.Sender], summary="Every sender: health, circuit, quota, limits")
async def list_senders(request: Request, _: SenderReader) -> Response:
    use = uses(request)
    items = [_view(use, sender) for sender in await use.senders.all()]
    return JSON({"items": items, "next_cursor": None})


@router.get("/{sender_id}", response_model=answers.Sender, summary="One sender")
async def show(request: Request, sender_id: str, _: SenderReader) -> Response:
    return JSON(_view(uses(request), await _get(uses(request), sender_id)))


@router.post(
    "/{sender_id}/pause", response_model=answers.SenderDone, summary="Give it no more work", openapi_extra=_ACTION
)
async def pause(request: Request, sender_id: str, caller: Operator) -> Response:
    return await _do(request, caller, sender_id, lambda: uses(request).senders.pause(sender_id, caller.subject))


@router.post(
    "/{sender_id}/resume",
    response_model=answers.SenderDone,
    summary="Let it work again and close its circuit",
    openapi_extra=_ACTION,
)
async def resume(request: Request, sender_id: str, caller: Operator) -> Response:
    return await _do(request, caller, sender_id, lambda: uses(request).senders.resume(sender_id))


@router.post(
    "/{sender_id}/reset-limits",
    response_model=answers.SenderDone,
    summary="Forget what it sent; its pacing stays",
    openapi_extra=_ACTION,
)
async def reset_limits(request: Request, sender_id: str, caller: Operator) -> Response:
    return await _do(request, caller, sender_id, lambda: uses(request).senders.reset_limits(sender_id))


@router.post(
    "/{sender_id}/check",
    response_model=answers.SenderChecked,
    responses={202: {"description": "The provider has not answered so far", "model": answers.SenderChecked}},
    summary="Ask its provider how its device and quota are; log in at the mail server",
    openapi_extra=_ACTION,
)
async def check(request: Request, sender_id: str, caller: Operator) -> Response:
    document = await read_json(request, optional=True)

    async def act(_: Turn) -> Answer:
        shaped(document, NoBody)
        sender, answered_now = await uses(request).check_sender(sender_id)
        log.info("sender.check_asked", sender=sender_id, answered=answered_now, by=caller.subject)
        view = {"success": True, "answered": answered_now, **_view(uses(request), sender)}
        return answered(view, 200 if answered_now else 202)

    return await post(request, caller, document, act)


async def _do(request: Request, caller: Caller, sender_id: str, change: Callable[[], Awaitable[bool]]) -> Response:
    document = await read_json(request, optional=True)
    shaped(document, NoBody)

    async def act(_: Turn) -> Answer:
        before = _view(uses(request), await _get(uses(request), sender_id))
        act_name = request.url.path.rsplit("/", 1)[-1]
        async with uses(request).audit.changing(
            caller, f"sender.{act_name}", sender_id, before=_audited(before)
        ) as noted:
            await change()
            after = _view(uses(request), await _get(uses(request), sender_id))
            noted.after = _audited(after)
        log.info("sender.changed", sender=sender_id, act=act_name, by=caller.subject)
        return answered({"success": True, **after})

    return await post(request, caller, document, act)


async def _get(use: Uses, sender_id: str) -> SenderDocument:
    found = await use.senders.get(sender_id)
    if found is None:
        raise missing("sender", sender_id)
    return found


def _view(use: Uses, sender: SenderDocument) -> views.View:
    return views.sender(sender, use.limits(sender["provider"]), use.clock.now())


def _audited(view: views.View) -> views.View:
    used = {window: one["used"] for window, one in view["usage"].items()}
    return {"status": view["status"], "why": view["why"], "circuit": view["circuit"]["state"], "used": used}
