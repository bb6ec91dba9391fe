"""/api/whatsapp-notifications: one address for each kind of notification portals send most."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.domain.access import SENDING, Caller, Scope
from api_gateway.domain.refusals import Refused, Unknown, invalid, missing
from api_gateway.domain.statistics import Statistics, statistics
from api_gateway.domain.submission import Submission, camel
from api_gateway.entrypoints import answers
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import NotificationReader, having
from api_gateway.entrypoints.notifications import accepted_answer
from api_gateway.entrypoints.openapi import ACCEPTED, describe_shape
from api_gateway.entrypoints.posting import post
from api_gateway.entrypoints.reading import read_json
from api_gateway.entrypoints.uses import uses
from common.catalogue.definitions import DEFINITIONS
from common.contracts.vocabulary import NotificationType
from common.topology.declarations import GATEWAYS

router = APIRouter(prefix="/api/whatsapp-notifications", tags=["whatsapp notifications"])
T = NotificationType
LOOKED_BACK = timedelta(days=7)
FORCE = "force"
Complete = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def _sender(kind: NotificationType) -> Any:
    """Whoever may send notifications of this type."""
    return Depends(having(SENDING[kind], scope=Scope.NOTIFICATIONS_WRITE))


def _told(kind: NotificationType, *left_out: str) -> dict[str, Any]:
    """How the route is described: its body is the type's data, but for what stands in the path."""
    shape = DEFINITIONS[kind].shape
    assert shape is not None, kind  # noqa: S101 - every type with an address of its own has data of a shape
    described = describe_shape(shape, left_out=left_out, also={FORCE: {"type": "boolean", "default": False}})
    return {"status_code": 202, "response_model": answers.Accepted, "responses": ACCEPTED, "openapi_extra": described}


@router.post("/emergency-alert", summary="Alert all staff and all team groups", **_told(T.EMERGENCY_ALERT))
async def emergency_alert(request: Request, caller: Annotated[Caller, _sender(T.EMERGENCY_ALERT)]) -> Response:
    return await _send(request, caller, _Asked(T.EMERGENCY_ALERT))


@router.post("/maintenance", summary="Tell the customers of an area", **_told(T.MAINTENANCE))
async def maintenance(request: Request, caller: Annotated[Caller, _sender(T.MAINTENANCE)]) -> Response:
    return await _send(request, caller, _Asked(T.MAINTENANCE))


@router.post("/daily-summary", summary="Sum up a day; of today's tickets when no figures are given",
             **_told(T.DAILY_SUMMARY))  # fmt: skip
async def daily_summary(request: Request, caller: Annotated[Caller, _sender(T.DAILY_SUMMARY)]) -> Response:
    return await _send(request, caller, _Asked(T.DAILY_SUMMARY, complete=uses(request).work_out_figures.day))


@router.post("/welcome/{customer_id:path}", summary="Welcome a customer", **_told(T.WELCOME, "customer_id"))
async def welcome(request: Request, customer_id: str, caller: Annotated[Caller, _sender(T.WELCOME)]) -> Response:
    return await _send(request, caller, _Asked(T.WELCOME, {"customer_id": customer_id}))


@router.post("/upgrade-offer/{customer_id:path}", summary="Offer a customer another package",
             **_told(T.UPGRADE_OFFER, "customer_id"))  # fmt: skip
async def upgrade_offer(
    request: Request, customer_id: str, caller: Annotated[Caller, _sender(T.UPGRADE_OFFER)]
) -> Response:
    return await _send(request, caller, _Asked(T.UPGRADE_OFFER, {"customer_id": customer_id}))


@router.post("/survey/{ticket_id:path}", summary="Ask how a ticket was handled",
             **_told(T.SATISFACTION_SURVEY, "ticket_id"))  # fmt: skip
async def survey(
    request: Request, ticket_id: str, caller: Annotated[Caller, _sender(T.SATISFACTION_SURVEY)]
) -> Response:
    return await _send(request, caller, _Asked(T.SATISFACTION_SURVEY, {"ticket_id": ticket_id}))


@router.post("/promotion-campaign", summary="Tell active or listed customers of an offer", **_told(T.PROMOTION))
async def promotion_campaign(request: Request, caller: Annotated[Caller, _sender(T.PROMOTION)]) -> Response:
    return await _send(request, caller, _Asked(T.PROMOTION))


@router.post("/technician-performance/{technician_id:path}",
             summary="Tell a technician the figures of a period; of last week when none is given",
             **_told(T.TECHNICIAN_PERFORMANCE, "technician_id"))  # fmt: skip
async def technician_performance(
    request: Request, technician_id: str, caller: Annotated[Caller, _sender(T.TECHNICIAN_PERFORMANCE)]
) -> Response:
    async def complete(given: dict[str, Any]) -> dict[str, Any]:
        return await uses(request).work_out_figures.technician(technician_id, given)

    asked = _Asked(T.TECHNICIAN_PERFORMANCE, {"technician_id": technician_id}, complete)
    return await _send(request, caller, asked)


@router.post("/installation-schedule/{customer_id:path}", summary="Tell a customer when somebody comes to install",
             **_told(T.INSTALLATION_SCHEDULE, "customer_id"))  # fmt: skip
async def installation_schedule(
    request: Request, customer_id: str, caller: Annotated[Caller, _sender(T.INSTALLATION_SCHEDULE)]
) -> Response:
    return await _send(request, caller, _Asked(T.INSTALLATION_SCHEDULE, {"customer_id": customer_id}))


@router.get("/stats", response_model=answers.Statistics, summary="What was sent in the last 7 days")
async def stats(request: Request, _: NotificationReader) -> Response:
    use = uses(request)
    until = use.clock.now()
    since = until - LOOKED_BACK
    counted = statistics(await use.statistics.since(since), GATEWAYS, use.prices)
    return JSON({"success": True, "since": since, "until": until, **_view(counted)})


@dataclass(frozen=True)
class _Asked:
    """What an address stands for: a type, the row its path names, and what completes its data."""

    type: NotificationType
    path: Mapping[str, str] = field(default_factory=dict)
    complete: Complete | None = None


async def _send(request: Request, caller: Caller, asked: _Asked) -> Response:
    document = await read_json(request, optional=True)

    async def act(turn: Turn) -> Answer:
        submission = await _submission(document, asked)
        try:
            return await accepted_answer(uses(request), submission, caller, turn)
        except Refused as refused:
            raise _for_the_path(refused, asked) from refused

    return await post(request, caller, document, act)


async def _submission(document: dict[str, Any], asked: _Asked) -> Submission:
    given = dict(document)
    force = given.pop(FORCE, False)
    if not isinstance(force, bool):
        raise invalid(FORCE, "must be true or false")
    for name in asked.path:
        for spelled in (name, camel(name)):
            if spelled in given:
                raise invalid(spelled, "stands in the path already; leave it out")
    data = given if asked.complete is None else await asked.complete(given)
    return Submission(asked.type, data={**data, **asked.path}, force=force, prefix="")


def _for_the_path(refused: Refused, asked: _Asked) -> Refused:
    """What the path names and nobody knows is not there; that is said of the path, not of a field."""
    fields = {one.field for one in refused.problems}
    for name, identity in asked.path.items():
        row = name.removesuffix("_id")
        not_known = isinstance(refused, Unknown) and (refused.row, refused.identity) == (row, identity)
        if not_known or (not isinstance(refused, Unknown) and fields & {name, camel(name)}):
            return missing(row, identity)
    return refused


def _view(counted: Statistics) -> dict[str, Any]:
    return {
        "summary": {**counted.summary, "failover_share": counted.failover_share, "cost": sum(counted.cost.values())},
        "details": [{"notification_type": kind, "count": count} for kind, count in counted.by_type.items()],
        "by_status": counted.by_status,
        "by_channel": counted.by_channel,
        "by_provider": {
            provider: {"sent": count, "cost": counted.cost[provider]} for provider, count in counted.by_provider.items()
        },
    }
