"""/api/senders"""

from typing import Literal, assert_never

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import missing
from api_gateway.entrypoints import answers, views
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Operator, SenderReader
from api_gateway.entrypoints.openapi import NO_BODY
from api_gateway.entrypoints.posting import answered, post_bare
from api_gateway.entrypoints.uses import Uses, uses
from common.contracts.documents import SenderDocument
from common.telemetry.logs import logger

router = APIRouter(prefix="/api/senders", tags=["senders"])
Act = Literal["pause", "resume", "reset-limits"]
log = logger()


@router.get("", response_model=answers.Page[answers.Sender], summary="Every sender: health, circuit, quota, limits")
async def list_senders(request: Request, _: SenderReader) -> Response:
    use = uses(request)
    items = [_view(use, sender) for sender in await use.senders.all()]
    return JSON({"items": items, "next_cursor": None})


@router.get("/{sender_id}", response_model=answers.Sender, summary="One sender")
async def show(request: Request, sender_id: str, _: SenderReader) -> Response:
    return JSON(await sender_view(uses(request), sender_id))


@router.post(
    "/{sender_id}/pause", response_model=answers.SenderDone, summary="Give it no more work", openapi_extra=NO_BODY
)
async def pause(request: Request, sender_id: str, caller: Operator) -> Response:
    return await _do(request, caller, sender_id, "pause")


@router.post(
    "/{sender_id}/resume",
    response_model=answers.SenderDone,
    summary="Let it work again and close its circuit",
    openapi_extra=NO_BODY,
)
async def resume(request: Request, sender_id: str, caller: Operator) -> Response:
    return await _do(request, caller, sender_id, "resume")


@router.post(
    "/{sender_id}/reset-limits",
    response_model=answers.SenderDone,
    summary="Forget what it sent; its pacing stays",
    openapi_extra=NO_BODY,
)
async def reset_limits(request: Request, sender_id: str, caller: Operator) -> Response:
    return await _do(request, caller, sender_id, "reset-limits")


@router.post(
    "/{sender_id}/check",
    response_model=answers.SenderChecked,
    responses={202: {"description": "The provider has not answered so far", "model": answers.SenderChecked}},
    summary="Ask its provider how its device and quota are; log in at the mail server",
    openapi_extra=NO_BODY,
)
async def check(request: Request, sender_id: str, caller: Operator) -> Response:
    async def act(_: Turn) -> Answer:
        view, answered_now = await check_sender(uses(request), caller, sender_id)
        return answered({"success": True, "answered": answered_now, **view}, 200 if answered_now else 202)

    return await post_bare(request, caller, act)


async def sender_view(use: Uses, sender_id: str) -> views.View:
    """Raises `Missing`."""
    return _view(use, await _get(use, sender_id))


async def check_sender(use: Uses, caller: Caller, sender_id: str) -> tuple[views.View, bool]:
    """The sender, and whether its provider has answered."""
    sender, answered_now = await use.check_sender(sender_id)
    log.info("sender.check_asked", sender=sender_id, answered=answered_now, by=caller.subject)
    return _view(use, sender), answered_now


async def change_sender(use: Uses, caller: Caller, sender_id: str, act: Act) -> views.View:
    """The sender after it."""
    before = await sender_view(use, sender_id)
    async with use.audit.changing(caller, f"sender.{act}", sender_id, before=_audited(before)) as noted:
        match act:
            case "pause":
                await use.senders.pause(sender_id, caller.subject)
            case "resume":
                await use.senders.resume(sender_id)
            case "reset-limits":
                await use.senders.reset_limits(sender_id)
            case _:
                assert_never(act)
        after = await sender_view(use, sender_id)
        noted.after = _audited(after)
    log.info("sender.changed", sender=sender_id, act=act, by=caller.subject)
    return after


async def _do(request: Request, caller: Caller, sender_id: str, act: Act) -> Response:
    async def change(_: Turn) -> Answer:
        return answered({"success": True, **await change_sender(uses(request), caller, sender_id, act)})

    return await post_bare(request, caller, change)


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
