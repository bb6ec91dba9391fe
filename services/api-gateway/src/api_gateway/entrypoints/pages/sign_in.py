"""Come and go."""

from secrets import token_urlsafe
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api_gateway.domain.refusals import Forbidden, Limited, Refused, Unauthenticated
from api_gateway.domain.session import form_token
from api_gateway.entrypoints.pages.addresses import HOME, SIGN_IN, SIGN_OUT
from api_gateway.entrypoints.pages.page_route import PageRoute, with_retry
from api_gateway.entrypoints.pages.rendering import render
from api_gateway.entrypoints.pages.visitors import (
    AnyVisitor,
    address,
    demand_visit,
    forget_session,
    keep_session,
    keep_visit,
    own_form,
    visit,
)
from api_gateway.entrypoints.uses import uses

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Next = Annotated[str, Query(alias="next", max_length=200)]


@router.get(SIGN_IN)
async def ask(request: Request, there: Next = HOME) -> Response:
    return _asked(request, there)


@router.post(SIGN_IN)
async def begin(request: Request) -> Response:
    form = await own_form(request)
    there = _ours(form.get("next"))
    demand_visit(request, form)
    sign_in = uses(request).sign_in
    try:
        if form.get("token"):
            secret = await sign_in.with_token(form.get("token"), address(request))
        else:
            password = form.fields.get("password", [""])[0]
            secret = await sign_in.with_password(form.get("name", most=80), password, address(request))
    except (Unauthenticated, Forbidden, Limited) as refused:
        return _asked(request, there, refused, name=form.get("name"))
    response = RedirectResponse(there, 303)
    keep_session(request, response, secret)
    return response


@router.post(SIGN_OUT)
async def end(request: Request, visitor: AnyVisitor) -> Response:
    await uses(request).sign_in.end(visitor.session, visitor.caller)
    response = RedirectResponse(SIGN_IN, 303)
    forget_session(request, response)
    return response


def _asked(request: Request, there: str, refused: Refused | None = None, name: str = "") -> Response:
    secret = visit(request) or token_urlsafe(32)
    values = {
        "form_token": form_token(secret),
        "next": _ours(there),
        "name": name,
        "with_password": bool(uses(request).sign_in.accounts),
    }
    response = render(request, "sign_in.html", values, refused=refused)
    keep_visit(request, response, secret)
    return response if refused is None else with_retry(request, response, refused)


def _ours(there: str) -> str:
    """Only ever to a page of this site."""
    return there if there == HOME or there.startswith(f"{HOME}/") else HOME
