"""Why did somebody not get it? Everything there is about one person, on one page."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.ports import Selection
from api_gateway.domain.access import ADMINS
from api_gateway.domain.refusals import Refused
from api_gateway.domain.verdicts import verdict
from api_gateway.entrypoints import suppressions, views
from api_gateway.entrypoints.pages.addresses import WHY
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.rendering import render
from api_gateway.entrypoints.pages.visitors import AnyVisitor, Visitor
from api_gateway.entrypoints.uses import uses
from common.contracts.documents import DeliveryDocument
from common.kernel.phone import mask, mask_in_text

router = APIRouter(prefix=WHY, route_class=PageRoute, include_in_schema=False)
LATEST = 20
"""Deliveries to each recipient."""


@router.get("")
async def look(request: Request, visitor: AnyVisitor, q: str = "") -> Response:
    asked = q.strip()[:200]
    values = {"asked": asked, "found": None}
    if not asked:
        return render(request, "why.html", values)
    try:
        person = await uses(request).find_person(asked)
    except Refused as refused:
        return render(request, "why.html", values, refused=refused)
    found = await asyncio.gather(*(_of(request, visitor, recipient) for recipient in person.recipients))
    return render(request, "why.html", {**values, "found": found, "person": person})


async def _of(request: Request, visitor: Visitor, recipient: str) -> Mapping[str, Any]:
    use = uses(request)
    latest = await use.deliveries.page(Selection(recipient=recipient, limit=LATEST))
    held = await use.suppressions.get(recipient) if visitor.caller.role in ADMINS else None
    return {
        "recipient": mask(recipient),
        "suppression": None if held is None else suppressions.view(held),
        "deliveries": await asyncio.gather(*(_told(request, delivery) for delivery in latest)),
        "more": len(latest) == LATEST,
    }


async def _told(request: Request, delivery: DeliveryDocument) -> Mapping[str, Any]:
    waiting_for = await uses(request).say_what_it_waits_for(delivery)
    return {
        **views.delivery(delivery),
        "verdict": mask_in_text(verdict(delivery)),
        "waiting_for": None if waiting_for is None else mask_in_text(waiting_for),
    }
