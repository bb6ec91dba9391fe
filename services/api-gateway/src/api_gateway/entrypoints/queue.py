"""/admin/whatsapp-queue and /admin/conservation"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Accepted, Turn
from api_gateway.application.ports import Answer
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import invalid
from api_gateway.domain.submission import Submission
from api_gateway.entrypoints import answers, views
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Operator, QueueReader
from api_gateway.entrypoints.bodies import TestMessageBody
from api_gateway.entrypoints.openapi import NO_BODY, describe
from api_gateway.entrypoints.posting import answered, post, post_bare
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import Uses, uses
from common.contracts.vocabulary import NotificationType, Priority
from common.telemetry.logs import logger

router = APIRouter(prefix="/admin", tags=["queue"])
_TEST = describe(TestMessageBody, {"one": {"to": "6281200000001"}}, idempotent=True, optional=True)
TEST_MESSAGE = "Ini pesan uji dari sistem notifikasi. Abaikan pesan ini."
log = logger()


@router.get("/whatsapp-queue/status", response_model=answers.Queue, summary="The WhatsApp queue at a glance")
async def status(request: Request, _: QueueReader) -> Response:
    return JSON(views.queue(await uses(request).look_at_queue()))


@router.post(
    "/whatsapp-queue/clear",
    response_model=answers.QueueCleared,
    summary="Cancel everything queued for WhatsApp",
    openapi_extra=NO_BODY,
)
async def clear(request: Request, caller: Operator) -> Response:
    async def act(_: Turn) -> Answer:
        return answered({"success": True, "cleared": await clear_queue(uses(request), caller)})

    return await post_bare(request, caller, act)


@router.post(
    "/whatsapp-queue/force-process",
    response_model=answers.QueueProcessed,
    summary="Line up at once what waits for a retry",
    openapi_extra=NO_BODY,
)
async def force_process(request: Request, caller: Operator) -> Response:
    async def act(_: Turn) -> Answer:
        return answered({"success": True, "processed": await hurry_queue(uses(request), caller)})

    return await post_bare(request, caller, act)


@router.post(
    "/whatsapp-queue/send-test",
    response_model=answers.Accepted,
    status_code=202,
    summary="Send a test message",
    openapi_extra=_TEST,
)
async def send_test(request: Request, caller: Operator) -> Response:
    document = await read_json(request, optional=True)

    async def act(turn: Turn) -> Answer:
        accepted = await test_message(uses(request), caller, turn, shaped(document, TestMessageBody))
        return answered(views.accepted(accepted), 202, f"/api/notifications/{accepted.notification['_id']}")

    return await post(request, caller, document, act)


@router.get(
    "/conservation", response_model=answers.Conservation, summary="Accepted recipients against where each of them is"
)
async def conservation(request: Request, _: QueueReader) -> Response:
    return JSON(views.conservation(await uses(request).ledger.conservation()))


async def clear_queue(use: Uses, caller: Caller) -> int:
    """How many deliveries were cancelled."""
    async with use.audit.changing(caller, "queue.clear", "whatsapp") as change:
        cleared = await use.look_at_queue.clear(caller)
        change.after = {"cleared": cleared}
    log.info("queue.cleared", deliveries=cleared, by=caller.subject)
    return cleared


async def hurry_queue(use: Uses, caller: Caller) -> int:
    """How many deliveries lined up."""
    async with use.audit.changing(caller, "queue.force-process", "whatsapp") as change:
        processed = await use.look_at_queue.force()
        change.after = {"processed": processed}
    return processed


async def test_message(use: Uses, caller: Caller, turn: Turn, body: TestMessageBody) -> Accepted:
    """Accept one to the number of the body or, where it has none, to the administrator's."""
    to = body.to or use.admin_number
    if to is None:
        raise invalid("to", "needed, as ADMIN_WHATSAPP_NUMBER is not set")
    message = TEST_MESSAGE if body.message is None else body.message
    submission = Submission(NotificationType.CUSTOM, to=[to], message=message, priority=Priority.HIGH)
    async with use.audit.changing(caller, "queue.send-test", turn.notification_id) as change:
        accepted = await use.accept(submission, caller, turn)
        change.after = {"deliveries": accepted.notification["recipients"]}
    return accepted
