"""Find a delivery and see what became of it."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api_gateway.application.act_on_deliveries import CANCELLABLE, RETRYABLE
from api_gateway.application.ports import Selection
from api_gateway.domain.access import ADMINS, DISPATCHERS
from api_gateway.domain.refusals import missing
from api_gateway.entrypoints import views
from api_gateway.entrypoints.deliveries import cancel_one, retry_one, searched
from api_gateway.entrypoints.pages.addresses import DELIVERIES
from api_gateway.entrypoints.pages.filtering import listed, selection, wanted
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.rendering import done, render
from api_gateway.entrypoints.pages.visitors import Admin, AnyVisitor, Dispatcher, Visitor
from api_gateway.entrypoints.uses import uses
from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import Channel, DeliveryStatus
from common.kernel.phone import mask_in_text

router = APIRouter(prefix=DELIVERIES, route_class=PageRoute, include_in_schema=False)


@router.get("")
async def search(request: Request, _: AnyVisitor) -> Response:
    asked = wanted(request)
    if asked["q"].startswith("dlv_") and len(asked.fields) == 1:
        return RedirectResponse(f"{DELIVERIES}/{asked['q']}", 303)

    def chosen() -> Selection:
        selected = selection(request, asked)
        return searched(selected, asked["q"]) if asked["q"] else selected

    statuses, channels = list(DeliveryStatus), list(Channel)
    return await listed(request, "deliveries.html", asked, chosen, statuses=statuses, channels=channels)


@router.get("/{delivery_id}")
async def look(request: Request, delivery_id: str, visitor: AnyVisitor) -> Response:
    return await _shown(request, visitor, await _get(request, delivery_id))


@router.post("/{delivery_id}/retry")
async def retry(request: Request, delivery_id: str, visitor: Dispatcher) -> Response:
    await retry_one(uses(request), visitor.caller, delivery_id)
    return done(f"{DELIVERIES}/{delivery_id}", "It is queued again.")


@router.post("/{delivery_id}/cancel")
async def cancel(request: Request, delivery_id: str, visitor: Dispatcher) -> Response:
    found = await cancel_one(uses(request), visitor.caller, delivery_id)
    return done(f"{DELIVERIES}/{delivery_id}", f"It is {found['status']} now.")


@router.post("/{delivery_id}/reveal")
async def reveal(request: Request, delivery_id: str, visitor: Admin) -> Response:
    """The whole number, on this one answer; that it was shown is written down first."""
    found = await _get(request, delivery_id)
    await uses(request).audit.note(visitor.caller, "delivery.reveal", delivery_id)
    return await _shown(request, visitor, found, revealed=found["recipient"])


async def _get(request: Request, delivery_id: str) -> DeliveryDocument:
    found = await uses(request).deliveries.get(delivery_id)
    if found is None:
        raise missing("delivery", delivery_id)
    return found


async def _shown(request: Request, visitor: Visitor, found: DeliveryDocument, revealed: str | None = None) -> Response:
    waiting_for = await uses(request).say_what_it_waits_for(found)
    acts = visitor.caller.role in DISPATCHERS
    removed = "contents_removed_at" in found
    values = {
        "delivery": views.delivery(found),
        "waiting_for": None if waiting_for is None else mask_in_text(waiting_for),
        "revealed": revealed,
        "may_reveal": visitor.caller.role in ADMINS and not removed,
        "may_retry": acts and found["status"] in RETRYABLE and bool(found["route"]) and not removed,
        "may_cancel": acts and found["status"] in CANCELLABLE,
    }
    return render(request, "delivery.html", values)
