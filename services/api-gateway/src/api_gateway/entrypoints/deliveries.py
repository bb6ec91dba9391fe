"""/api/deliveries and /api/dead-deliveries"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.act_on_deliveries import DEAD
from api_gateway.application.ports import Answer, Selection
from api_gateway.domain.access import Caller
from api_gateway.domain.moments import span
from api_gateway.domain.refusals import invalid, missing
from api_gateway.entrypoints import answers, views
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import DeadDeliveryReader, DeliveryReader, Dispatcher
from api_gateway.entrypoints.bodies import IdentitiesBody
from api_gateway.entrypoints.openapi import NO_BODY, describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_cursor, cursor_after
from api_gateway.entrypoints.posting import answered, post, post_bare
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import Uses, uses
from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import Channel, DeliveryStatus, NotificationType
from common.kernel.email import InvalidEmail, looks_like_email, normalise_email
from common.kernel.phone import InvalidPhone, mask_in_text, normalise_recipient
from common.topology.declarations import GATEWAYS

router = APIRouter(tags=["deliveries"])
_MANY = describe(
    IdentitiesBody, {"two": {"ids": ["dlv_019a8b7c6d5e0123456789abcdef-0123456789abcdef"]}}, idempotent=True
)


@router.get("/api/deliveries", response_model=answers.Page[answers.Delivery], summary="Deliveries, newest first")
async def list_deliveries(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    _: DeliveryReader,
    notification_id: str | None = None,
    status: DeliveryStatus | None = None,
    type: NotificationType | None = None,  # noqa: A002 - the filter's name is part of the API
    recipient: str | None = None,
    channel: Channel | None = None,
    provider: str | None = None,
    since: str | None = None,
    until: str | None = None,
    q: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    begins, ends = span(since, until, uses(request).zone)
    selection = Selection(
        statuses=() if status is None else (status,),
        notification_id=notification_id,
        recipient=None if recipient is None else _recipient("recipient", recipient),
        type=type,
        channel=channel,
        provider=known_provider(provider),
        since=begins,
        until=ends,
        before=after_cursor(cursor, "dlv_"),
        limit=limit,
    )
    return await _page(request, selection if not q else searched(selection, q.strip()))


@router.get(
    "/api/deliveries/{delivery_id}",
    response_model=answers.DeliveryShown,
    summary="A delivery with its attempts and timeline",
)
async def show(request: Request, delivery_id: str, _: DeliveryReader) -> Response:
    found = await uses(request).deliveries.get(delivery_id)
    if found is None:
        raise missing("delivery", delivery_id)
    waiting_for = await uses(request).say_what_it_waits_for(found)
    return JSON(views.delivery(found) | {"waiting_for": None if waiting_for is None else mask_in_text(waiting_for)})


@router.post(
    "/api/deliveries/{delivery_id}/cancel",
    response_model=answers.DeliveryDone,
    summary="Cancel a delivery that waits",
    openapi_extra=NO_BODY,
)
async def cancel(request: Request, delivery_id: str, caller: Dispatcher) -> Response:
    async def act(_: Turn) -> Answer:
        return _changed(await cancel_one(uses(request), caller, delivery_id))

    return await post_bare(request, caller, act)


@router.post(
    "/api/deliveries/{delivery_id}/retry",
    response_model=answers.DeliveryDone,
    summary="Queue an ended delivery again",
    openapi_extra=NO_BODY,
)
async def retry(request: Request, delivery_id: str, caller: Dispatcher) -> Response:
    async def act(_: Turn) -> Answer:
        return _changed(await retry_one(uses(request), caller, delivery_id))

    return await post_bare(request, caller, act)


@router.get(
    "/api/dead-deliveries",
    response_model=answers.Page[answers.Delivery],
    summary="Failed and unknown deliveries that wait for a person",
)
async def list_dead(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    _: DeadDeliveryReader,
    status: DeliveryStatus | None = None,
    type: NotificationType | None = None,  # noqa: A002 - the filter's name is part of the API
    code: str | None = None,
    provider: str | None = None,
    notification_id: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    if status is not None and status not in DEAD:
        raise invalid("status", f"dead ones are {' or '.join(DEAD)}")
    begins, ends = span(since, until, uses(request).zone)
    selection = Selection(
        statuses=DEAD if status is None else (status,),
        notification_id=notification_id,
        type=type,
        code=code,
        provider=known_provider(provider),
        since=begins,
        until=ends,
        before=after_cursor(cursor, "dlv_"),
        dead=True,
        limit=limit,
    )
    return await _page(request, selection)


@router.post(
    "/api/dead-deliveries/retry",
    response_model=answers.Retried,
    summary="Queue dead deliveries again",
    openapi_extra=_MANY,
)
async def retry_dead(request: Request, caller: Dispatcher) -> Response:
    document = await read_json(request)

    async def act(_: Turn) -> Answer:
        ids = _distinct(document)
        retried = await retry_many(uses(request), caller, ids)
        return answered({"success": True, "retried": retried, "skipped": len(ids) - retried})

    return await post(request, caller, document, act)


@router.post(
    "/api/dead-deliveries/discard",
    response_model=answers.Discarded,
    summary="Take dead deliveries off the list",
    openapi_extra=_MANY,
)
async def discard_dead(request: Request, caller: Dispatcher) -> Response:
    document = await read_json(request)

    async def act(_: Turn) -> Answer:
        ids = _distinct(document)
        discarded = await discard_many(uses(request), caller, ids)
        return answered({"success": True, "discarded": discarded, "skipped": len(ids) - discarded})

    return await post(request, caller, document, act)


async def cancel_one(use: Uses, caller: Caller, delivery_id: str) -> DeliveryDocument:
    async with use.audit.changing(caller, "delivery.cancel", delivery_id) as change:
        found = await use.act.cancel(delivery_id, caller)
        change.after = {"status": found["status"]}
    return found


async def retry_one(use: Uses, caller: Caller, delivery_id: str) -> DeliveryDocument:
    async with use.audit.changing(caller, "delivery.retry", delivery_id) as change:
        found = await use.act.retry(delivery_id, caller)
        change.after = {"status": found["status"]}
    return found


async def retry_many(use: Uses, caller: Caller, ids: Sequence[str]) -> int:
    """How many of these dead ones were queued again."""
    async with use.audit.changing(caller, "dead-delivery.retry", ids) as change:
        retried = await use.act.retry_dead(ids, caller)
        change.after = {"asked": len(ids), "retried": retried}
    return retried


async def discard_many(use: Uses, caller: Caller, ids: Sequence[str]) -> int:
    """How many of these dead ones were taken off the list."""
    async with use.audit.changing(caller, "dead-delivery.discard", ids) as change:
        discarded = await use.act.discard(ids, caller)
        change.after = {"asked": len(ids), "discarded": discarded}
    return discarded


async def _page(request: Request, selection: Selection) -> Response:
    found = await uses(request).deliveries.page(selection)
    last = found[-1]["_id"] if len(found) == selection.limit else None
    return JSON({"items": [views.delivery(one) for one in found], "next_cursor": cursor_after(last)})


def searched(selection: Selection, text: str) -> Selection:
    """`q` finds a notification, a delivery, or everything to one recipient."""
    fields: dict[str, Any] = dict(vars(selection))
    if text.startswith("ntf_"):
        fields["notification_id"] = text
    elif text.startswith("dlv_"):
        fields["delivery_id"] = text
    else:
        fields["recipient"] = _recipient("q", text)
    return Selection(**fields)


def known_provider(name: str | None) -> str | None:
    if name is not None and name not in GATEWAYS:
        raise invalid("provider", f"known are {', '.join(GATEWAYS)}")
    return name


def _recipient(field: str, value: str) -> str:
    try:
        if looks_like_email(value):
            return normalise_email(value)
        return normalise_recipient(value.strip() if field != "recipient" else value.replace(" 62", "62", 1))
    except (InvalidPhone, InvalidEmail) as error:
        wanted = "a phone number, a group id, an e-mail address, ntf_… or dlv_…" if field == "q" else str(error)
        raise invalid(field, wanted) from error


def _changed(delivery: DeliveryDocument) -> Answer:
    return answered({"success": True, **views.delivery(delivery)})


def _distinct(document: dict[str, Any]) -> Sequence[str]:
    return list(dict.fromkeys(shaped(document, IdentitiesBody).ids))
