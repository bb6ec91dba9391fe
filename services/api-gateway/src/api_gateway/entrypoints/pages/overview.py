"""The queue at work, and what an operator does about it."""

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api_gateway.application.accept_notification import Turn
from api_gateway.domain.access import OPERATORS, demand
from api_gateway.domain.refusals import Refused
from api_gateway.entrypoints import views
from api_gateway.entrypoints.bodies import TestMessageBody
from api_gateway.entrypoints.errors import STATUSES
from api_gateway.entrypoints.pages.acting import do_once
from api_gateway.entrypoints.pages.addresses import HOME, places
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.picture import drawn
from api_gateway.entrypoints.pages.rendering import done, number, render
from api_gateway.entrypoints.pages.visitors import AnyVisitor, Form, Operator
from api_gateway.entrypoints.queue import TEST_MESSAGE, clear_queue, hurry_queue, test_message
from api_gateway.entrypoints.reading import shaped
from api_gateway.entrypoints.senders import change_sender, check_sender, sender_view
from api_gateway.entrypoints.uses import uses

router = APIRouter(prefix=HOME, route_class=PageRoute, include_in_schema=False)
_DONE = {"pause": "is paused", "resume": "takes work again", "reset-limits": "starts its limits anew"}


@router.get("")
async def look(request: Request, visitor: AnyVisitor) -> Response:
    if visitor.caller.role not in OPERATORS and places(visitor.caller.role):
        return RedirectResponse(places(visitor.caller.role)[0].address, 303)
    demand(visitor.caller, OPERATORS, "the queue")
    return await _overview(request, Form({}))


@router.get("/queue/clear")
async def ask_to_clear(request: Request, _: Operator) -> Response:
    picture = await uses(request).watch_queue.picture(anew=True)
    return render(request, "clear.html", {"queue": views.queue(picture.glance)})


@router.post("/queue/clear")
async def clear(request: Request, visitor: Operator) -> Response:
    async def cancel(_: Turn) -> str:
        return f"Cancelled {_many(await clear_queue(uses(request), visitor.caller))}."

    return await _back(request, await do_once(request, visitor, {}, cancel))


@router.post("/queue/force-process")
async def force_process(request: Request, visitor: Operator) -> Response:
    processed = await hurry_queue(uses(request), visitor.caller)
    return await _back(request, f"Lined up {_many(processed)} that waited for another try.")


@router.post("/queue/send-test")
async def send_test(request: Request, visitor: Operator) -> Response:
    document = {name: value for name in ("to", "message") if (value := visitor.form.get(name))}

    async def send(turn: Turn) -> str:
        await test_message(uses(request), visitor.caller, turn, shaped(document, TestMessageBody))
        return "The test message is in the queue."

    try:
        notice = await do_once(request, visitor, document, send)
    except Refused as refused:
        if STATUSES[type(refused)] != 422:
            raise
        return await _overview(request, visitor.form, refused)
    return await _back(request, notice)


@router.post("/senders/{sender_id}/check")
async def check(request: Request, sender_id: str, visitor: Operator) -> Response:
    _, answered_now = await check_sender(uses(request), visitor.caller, sender_id)
    said = "has answered" if answered_now else "has not answered so far"
    return await _back(request, f"The provider of {sender_id} {said}.")


@router.get("/senders/{sender_id}/reset-limits")
async def ask_to_reset(request: Request, sender_id: str, _: Operator) -> Response:
    return render(request, "reset_limits.html", {"sender": await sender_view(uses(request), sender_id)})


@router.post("/senders/{sender_id}/{act}")
async def change(
    request: Request, sender_id: str, act: Literal["pause", "resume", "reset-limits"], visitor: Operator
) -> Response:
    await change_sender(uses(request), visitor.caller, sender_id, act)
    return await _back(request, f"{sender_id} {_DONE[act]}.")


async def _overview(request: Request, form: Form, refused: Refused | None = None) -> Response:
    use = uses(request)
    picture = await use.watch_queue.picture()
    test = {
        "to": form.get("to"),
        "message": form.get("message") or TEST_MESSAGE,
        "key": form.get("key"),
        "has_own_number": use.admin_number is not None,
    }
    return render(request, "overview.html", {"parts": drawn(use, picture), "test": test}, refused=refused)


async def _back(request: Request, notice: str) -> Response:
    """The page that follows shows what is now."""
    await uses(request).watch_queue.picture(anew=True)
    return done(HOME, notice)


def _many(count: int) -> str:
    return f"{number(count)} {'delivery' if count == 1 else 'deliveries'}"
