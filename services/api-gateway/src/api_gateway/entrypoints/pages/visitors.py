"""Who looks at a page, and whether a form is their own."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request
from starlette.responses import Response

from api_gateway.domain.access import ADMINS, DISPATCHERS, EVERYONE, OPERATORS, Caller, demand
from api_gateway.domain.refusals import Code, Forbidden, Unauthenticated, invalid
from api_gateway.domain.session import LONGEST, Session, form_token, is_form_token
from api_gateway.entrypoints.pages.addresses import HOME
from api_gateway.entrypoints.reading import read
from api_gateway.entrypoints.uses import uses
from common.contracts.vocabulary import Role
from common.mongo.connection import UNAVAILABLE

TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field
MOST_BYTES = 64 * 1024
MOST_FIELDS = 500
_SESSION, _VISIT = "kabar_session", "kabar_visit"
_SAME_SITE = {"same-origin", "none"}


@dataclass(frozen=True)
class Form:
    """What was filled in."""

    fields: dict[str, list[str]]

    def get(self, name: str, *, most: int = 4_096) -> str:
        """The one value of a field, without the spaces around it; empty when there is none."""
        value = self.fields.get(name, [""])[0].strip()
        if len(value) > most:
            raise invalid(name, f"at most {most} characters")
        return value

    def all(self, name: str) -> list[str]:
        return self.fields.get(name, [])


@dataclass(frozen=True)
class Visitor:
    """`secret` is what the browser holds."""

    caller: Caller
    session: Session
    secret: str = field(repr=False)
    form: Form

    @property
    def form_token(self) -> str:
        return form_token(self.secret)


def having(roles: Sequence[Role]) -> Callable[[Request], Awaitable[Visitor]]:
    """The visitor, who has one of these roles; a POST has to come from a form of the same session."""

    async def permitted(request: Request) -> Visitor:
        form = Form({}) if request.method == "GET" else await own_form(request)
        visitor = await _known(request, form)
        request.state.visitor = visitor
        if request.method != "GET":
            _demand_token(form, visitor.secret)
        demand(visitor.caller, roles, "this page" if request.method == "GET" else "this")
        return visitor

    return permitted


async def recognise(request: Request) -> None:
    """Let a page that is for everybody know who looks, if somebody is signed in."""
    with suppress(Unauthenticated, *UNAVAILABLE):
        request.state.visitor = await _known(request, Form({}))


async def _known(request: Request, form: Form) -> Visitor:
    secret = request.cookies.get(cookie_name(request, _SESSION), "")
    session = await uses(request).sign_in.whose(secret) if secret else None
    if session is None:
        raise Unauthenticated(Code.UNAUTHENTICATED, "Nobody is signed in here.")
    return Visitor(session.caller(address(request)), session, secret, form)


async def own_form(request: Request) -> Form:
    """What was filled in on one of our own pages; raises `Forbidden` when a browser says it was another one's."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in _SAME_SITE if site else origin is not None and _host(origin) != request.url.netloc:
        raise _not_ours()
    body = await read(request, most_bytes=MOST_BYTES)
    try:
        return Form(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise invalid("form", "cannot be read") from error


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _demand_token(form: Form, secret: str) -> None:
    if not secret or not is_form_token(form.get(TOKEN_FIELD), secret):
        raise _not_ours()


def _not_ours() -> Forbidden:
    return Forbidden(Code.FORBIDDEN, "This form is not from your session here. Go back, load the page again and retry.")


def address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def cookie_name(request: Request, name: str) -> str:
    """Behind TLS one that no other host of the domain can set."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def keep_session(request: Request, response: Response, secret: str) -> None:
    _set(request, response, _SESSION, secret, round(LONGEST.total_seconds()))
    forget(request, response, _VISIT)


def forget_session(request: Request, response: Response) -> None:
    forget(request, response, _SESSION)


def visit(request: Request) -> str:
    """What a browser holds before somebody signs in; the form that signs in goes with it."""
    return request.cookies.get(cookie_name(request, _VISIT), "")


def keep_visit(request: Request, response: Response, secret: str) -> None:
    _set(request, response, _VISIT, secret, 3600)


def demand_visit(request: Request, form: Form) -> None:
    _demand_token(form, visit(request))


def _set(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(
        cookie_name(request, name), value, max_age=seconds, path="/" if secure else HOME, secure=secure, httponly=True,
        samesite="lax",
    )  # fmt: skip


def forget(request: Request, response: Response, name: str) -> None:
    secure = request.url.scheme == "https"
    response.delete_cookie(
        cookie_name(request, name), path="/" if secure else HOME, secure=secure, httponly=True, samesite="lax"
    )


AnyVisitor = Annotated[Visitor, Depends(having(EVERYONE))]
Admin = Annotated[Visitor, Depends(having(ADMINS))]
Dispatcher = Annotated[Visitor, Depends(having(DISPATCHERS))]
Operator = Annotated[Visitor, Depends(having(OPERATORS))]
