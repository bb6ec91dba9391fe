"""What every page has in common: strict headers, and failures that are pages, too."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response

from api_gateway.domain.refusals import Code, Missing, Refused, Unauthenticated, unavailable
from api_gateway.entrypoints.errors import STATUSES
from api_gateway.entrypoints.pages.addresses import HOME, SIGN_IN
from api_gateway.entrypoints.pages.rendering import render
from api_gateway.entrypoints.uses import uses
from common.mongo.connection import UNAVAILABLE

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HTTPS_ONLY = "max-age=31536000"
_TITLES = {
    403: "You may not do this",
    404: "There is nothing here",
    409: "It is not like that any more",
    413: "That is too much at once",
    429: "Too many attempts",
    503: "Not available right now",
}


_AWAY = "The database does not answer. Look again in a moment."
_AWAY_MEANWHILE = "The database does not answer. What you asked for may have been done: look before you ask again."


class PageRoute(APIRoute):
    """A route whose answers are for people, whatever happens."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                response = await handle(request)
            except Refused as refused:
                response = refusal(request, refused)
            except RequestValidationError:
                response = refusal(request, nothing_here())
            except UNAVAILABLE:
                response = refusal(request, unavailable(_AWAY if request.method == "GET" else _AWAY_MEANWHILE))
            return guarded(request, response)

        return handled


def guarded(request: Request, response: Response) -> Response:
    """With the headers that tell a browser to be strict."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    if request.url.scheme == "https":
        response.headers["Strict-Transport-Security"] = _HTTPS_ONLY
    return response


def nothing_here() -> Missing:
    return Missing(Code.NOT_FOUND, "There is no such page.")


def refusal(request: Request, refused: Refused) -> Response:
    """The page that says what is wrong; who is not signed in is asked to, unless it is no page that asks."""
    if isinstance(refused, Unauthenticated):
        if not is_for_people(request):
            return Response(status_code=401)
        there = f"?next={quote(request.url.path)}" if request.method == "GET" and request.url.path != HOME else ""
        return RedirectResponse(f"{SIGN_IN}{there}", 303)
    title = _TITLES.get(STATUSES[type(refused)], "That did not work")
    response = render(request, "refusal.html", {"error": refused.error, "title": title}, refused=refused)
    return with_retry(request, response, refused)


def with_retry(request: Request, response: Response, refused: Refused) -> Response:
    """Says when it is worth trying again, where that is known."""
    reset_at = refused.details.get("reset_at")
    if isinstance(reset_at, datetime):
        seconds = (reset_at - uses(request).clock.now()).total_seconds()
        response.headers["Retry-After"] = str(max(1, round(seconds)))
    return response


def defect(request: Request) -> Response:
    """The page of a failure nobody thought of; the API's answer to it is logged."""
    error = "A defect on our side; it is logged. What you asked for may have been done: look before you ask again."
    return render(request, "refusal.html", {"error": error, "title": "That did not work"}, status=500)


def is_for_people(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
