"""/api/notifications"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Accepted, Turn
from api_gateway.application.cancel_notification import Cancelled
from api_gateway.application.ports import Answer
from api_gateway.domain.access import SENDING, Caller, Scope, demand
from api_gateway.domain.audience import Rejection
from api_gateway.domain.refusals import Code, Refused, missing
from api_gateway.domain.submission import Submission
from api_gateway.entrypoints import answers, views
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import AnyCaller, NotificationReader, identified, refuse_unknown_parameters
from api_gateway.entrypoints.bodies import NotificationBody
from api_gateway.entrypoints.csv_notifications import describe_submitting, read_rows, read_shared
from api_gateway.entrypoints.openapi import ACCEPTED, NO_BODY
from api_gateway.entrypoints.posting import answered, post, post_bare
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uploads import is_csv
from api_gateway.entrypoints.uses import Uses, uses
from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import (
    BY_WHATSAPP,
    WAITING,
    Channel,
    DeliveryStatus,
    NotificationType,
    Priority,
    Role,
)

router = APIRouter(prefix="/api/notifications", tags=["notifications"])
SUCCEEDED = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ)


@router.post(
    "",
    response_model=answers.Accepted,
    status_code=202,
    summary="Accept a notification",
    openapi_extra=describe_submitting(),
    responses={**ACCEPTED, 200: {"description": "Sent directly: what became of it", "model": answers.Accepted}},
)
async def submit(request: Request, caller: Annotated[Caller, Depends(identified)]) -> Response:
    if is_csv(request):
        return await _submit_csv(request, caller)
    refuse_unknown_parameters(request)
    document = await read_json(request)
    _demand_right(document, caller)

    async def act(turn: Turn) -> Answer:
        if document.get("direct") is not True:
            return await submit_document(uses(request), document, caller, turn)
        async with uses(request).audit.changing(caller, "notification.send-directly", turn.notification_id) as change:
            answer = await submit_document(uses(request), document, caller, turn)
            change.after = {"type": document["type"], "status": answer.status}
        return answer

    return await post(request, caller, document, act)


async def _submit_csv(request: Request, caller: Caller) -> Response:
    shared = read_shared(request)
    _demand_right({"type": shared.type}, caller)
    items, sha256 = await read_rows(request, shared.type)
    submission = replace(shared, items=items, bulk=True)

    async def act(turn: Turn) -> Answer:
        return await accepted_answer(uses(request), submission, caller, turn)

    return await post(request, caller, {"shared": asdict(shared), "csv": sha256}, act)


@router.get("/{notification_id}", response_model=answers.Notification, summary="A notification and its progress")
async def show(request: Request, notification_id: str, _: NotificationReader) -> Response:
    return JSON(await progress_of(uses(request), notification_id))


@router.post(
    "/{notification_id}/cancel",
    response_model=answers.NotificationCancelled,
    summary="Cancel what still waits",
    openapi_extra=NO_BODY,
)
async def cancel(request: Request, notification_id: str, caller: AnyCaller) -> Response:
    async def act(_: Turn) -> Answer:
        done = await call_off(uses(request), caller, notification_id)
        view = views.notification(done.notification, done.progress)
        return answered({"success": True, "cancelled": done.cancelled, **view})

    return await post_bare(request, caller, act)


async def progress_of(use: Uses, notification_id: str) -> views.View:
    """How far it is and when it may be through; raises `Missing`."""
    found = await use.notifications.get(notification_id)
    if found is None:
        raise missing("notification", notification_id)
    progress = await use.notifications.progress(notification_id)
    channels = [Channel(one) for one in found.get("channels", BY_WHATSAPP)]
    eta = use.capacity.through(found["providers"], Priority(found["priority"]), channels, send_at=found["send_at"])
    return views.notification(found, progress, eta)


async def call_off(use: Uses, caller: Caller, notification_id: str) -> Cancelled:
    async with use.audit.changing(caller, "notification.cancel", notification_id) as change:
        done = await use.cancel_notification(notification_id, caller)
        change.after = {"status": done.notification["status"], "cancelled": done.cancelled}
    return done


async def submit_document(use: Uses, document: dict[str, Any], caller: Caller, turn: Turn) -> Answer:
    """Accept what a body asks for and say so."""
    return await accepted_answer(use, shaped(document, NotificationBody).submission(), caller, turn)


async def accepted_answer(use: Uses, submission: Submission, caller: Caller, turn: Turn) -> Answer:
    """Accept it and say so; of a direct send what became of it."""
    try:
        accepted = await use.accept(submission, caller, turn)
    except Refused as refused:
        if "rejected" in refused.details:
            rejected = cast("Sequence[Rejection]", refused.details["rejected"])
            refused.details = {**refused.details, "rejected": views.rejections(rejected, submission.items)}
        raise
    if submission.direct:
        return await _direct_answer(use, accepted)
    location = f"/api/notifications/{accepted.notification['_id']}"
    return answered(views.accepted(accepted, submission.items), 202, location)


async def _direct_answer(use: Uses, accepted: Accepted) -> Answer:
    """200 with what the provider said, whether it took the message or not; 202 while nobody knows yet."""
    location = f"/api/notifications/{accepted.notification['_id']}"
    found = await use.await_outcome(accepted.notification)
    view = views.accepted(accepted) | {"status": "accepted" if found is None else found["status"]}
    if found is None or found["status"] in WAITING:
        return answered(view | _with_delivery(found), 202, location)
    if found["status"] in SUCCEEDED:
        return answered(view | _with_delivery(found), 200, location)
    last = found["attempts"][-1] if found["attempts"] else None
    error = found["reason"] or (last and last["error"]) or f"the delivery is {found['status']}"
    failure = {"success": False, "error": error, "code": found["code"] or Code.RETRY_FAILED}
    return answered(view | failure | _with_delivery(found), 200, location)


def _with_delivery(found: DeliveryDocument | None) -> dict[str, Any]:
    return {} if found is None else {"delivery": views.delivery(found)}


def _demand_right(document: dict[str, Any], caller: Caller) -> None:
    kind = document.get("type")
    if kind not in list(NotificationType):
        shaped(document, NotificationBody)  # refuses it, naming what else is wrong as well
    demand(caller, SENDING[NotificationType(str(kind))], f"type {kind}", scope=Scope.NOTIFICATIONS_WRITE)
    if document.get("direct") is True:
        demand(caller, (Role.ADMIN,), "a direct send")
