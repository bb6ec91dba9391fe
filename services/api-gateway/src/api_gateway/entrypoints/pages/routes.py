"""How each type goes: look and change."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.domain.access import ADMINS
from api_gateway.domain.refusals import Refused, invalid
from api_gateway.entrypoints.errors import STATUSES
from api_gateway.entrypoints.pages.addresses import ROUTES
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.rendering import done, render
from api_gateway.entrypoints.pages.visitors import Admin, AnyVisitor, Form, Visitor
from api_gateway.entrypoints.routes import change_as_asked, known_kind, route_view
from api_gateway.entrypoints.uses import uses
from common.config.whatsapp import PROVIDERS
from common.contracts.vocabulary import Channel, NotificationType, OnUnknown, Priority

router = APIRouter(prefix=ROUTES, route_class=PageRoute, include_in_schema=False)
NUMBERS = ("validity_seconds", "unknown_wait_seconds", "dedupe_seconds")


@router.get("")
async def look(request: Request, _: AnyVisitor) -> Response:
    changed = await uses(request).routes.all_changed()
    return render(request, "routes.html", {"items": [route_view(kind, changed.get(kind)) for kind in NotificationType]})


@router.get("/{name}")
async def show(request: Request, name: str, visitor: AnyVisitor) -> Response:
    return await _page(request, visitor, known_kind(name))


@router.post("/{name}")
async def change(request: Request, name: str, visitor: Admin) -> Response:
    kind = known_kind(name)
    try:
        now = route_view(kind, await uses(request).routes.changed(kind))
        wanted = _wanted(visitor.form)
        document = {field: value for field, value in wanted.items() if value != _as_form(now[field])}
        if not document:
            return done(f"{ROUTES}/{name}", "Nothing changed.")
        document["revision"] = _number("revision", visitor.form.get("revision")) or 0
        await change_as_asked(uses(request), visitor.caller, kind, document)
    except Refused as refused:
        if STATUSES[type(refused)] not in {409, 422}:
            raise
        return await _page(request, visitor, kind, refused)
    return done(f"{ROUTES}/{name}", "It goes like this from now on.")


@router.post("/{name}/restore")
async def restore(request: Request, name: str, visitor: Admin) -> Response:
    kind = known_kind(name)
    await uses(request).change_route.restore(kind, visitor.caller)
    return done(f"{ROUTES}/{name}", "It goes as it did at first.")


def _as_form(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _wanted(form: Form) -> Mapping[str, Any]:
    """The route as the form has it."""
    begins, ends = form.get("begins"), form.get("ends")
    providers = [one for one in (form.get(f"provider_{place}") for place in range(len(PROVIDERS))) if one]
    return {
        "enabled": bool(form.get("enabled")),
        "suppressible": bool(form.get("suppressible")),
        "priority": form.get("priority"),
        "channels": form.all("channels"),
        "providers": providers or None,
        "on_unknown": form.get("on_unknown"),
        "hours": {"begins": begins, "ends": ends} if begins or ends else None,
        **{name: _number(name, form.get(name)) for name in NUMBERS},
    }


def _number(name: str, text: str) -> float | int | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise invalid(name, "must be a number") from error
    return int(value) if value.is_integer() else value


async def _page(request: Request, visitor: Visitor, kind: NotificationType, refused: Refused | None = None) -> Response:
    view = route_view(kind, await uses(request).routes.changed(kind))
    if refused is not None:
        view = {**view, **{name: value for name, value in _typed(visitor.form).items() if value is not None}}
    values = {
        "route": view,
        "may_change": visitor.caller.role in ADMINS,
        "priorities": list(Priority),
        "channels": list(Channel),
        "providers": list(PROVIDERS),
        "choices": list(OnUnknown),
    }
    return render(request, "route.html", values, refused=refused)


def _typed(form: Form) -> Mapping[str, Any]:
    """What was filled in, for it to be mended; numbers that are none are left out."""
    try:
        return _wanted(form)
    except Refused:
        return {}
