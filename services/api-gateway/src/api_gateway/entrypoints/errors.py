"""Every error in one shape: `{"success": false, "error": …, "code": …}`, with the fields at fault where there are."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api_gateway.domain.refusals import (
    Code,
    Conflicting,
    Forbidden,
    Limited,
    Malformed,
    Missing,
    Oversized,
    Problem,
    Refused,
    Unauthenticated,
    Unavailable,
    Unknown,
    Unreachable,
    Unsupported,
)
from api_gateway.domain.webhooks import reads_answers_to_customers
from api_gateway.domain.wording import in_words
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.uses import uses
from common.kernel.phone import mask_in_text
from common.mongo.connection import UNAVAILABLE

STATUSES: dict[type[Refused], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    Missing: 404,
    Conflicting: 409,
    Oversized: 413,
    Unsupported: 415,
    Refused: 422,
    Unknown: 422,
    Unreachable: 422,
    Limited: 429,
    Unavailable: 503,
}
Handler = Callable[[Request, Exception], Awaitable[Response]]
_CODES = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED, 413: Code.PAYLOAD_TOO_LARGE}


def error_body(refused: Refused) -> dict[str, Any]:
    body: dict[str, Any] = {"success": False, "error": refused.error, "code": refused.code}
    if refused.problems:
        body["fields"] = [{"field": one.field, "error": one.error} for one in refused.problems]
    return {**body, **refused.details}


def answer(refused: Refused, now: datetime | None = None) -> Response:
    headers = {}
    if isinstance(refused, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refused, Unavailable):
        headers["Retry-After"] = "2"
    reset_at = refused.details.get("reset_at")
    if isinstance(refused, Limited) and isinstance(reset_at, datetime) and now is not None:
        headers["Retry-After"] = str(max(1, round((reset_at - now).total_seconds())))
    return JSON(error_body(refused), STATUSES[type(refused)], headers)


def install(app: FastAPI) -> None:
    """Have every failure answered in the error shape."""

    async def on_refused(request: Request, error: Exception) -> Response:
        return answer(error, uses(request).clock.now()) if isinstance(error, Refused) else answer(_defect())

    async def on_parameters(_: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        problems = [Problem(str(one["loc"][-1]), in_words(one)) for one in found]
        text = "; ".join(f"{one.field}: {one.error}" for one in problems)
        return answer(Refused(Code.VALIDATION_ERROR, text, problems))

    async def on_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        code = _CODES.get(status, Code.VALIDATION_ERROR if status < 500 else Code.INTERNAL_ERROR)
        body = {"success": False, "error": _why(status, request, headers), "code": code}
        return JSON(body, status, headers)

    async def on_away(_: Request, __: Exception) -> Response:
        return answer(Unavailable(Code.UNAVAILABLE, "the database does not answer; ask again in a moment"))

    async def on_defect(_: Request, __: Exception) -> Response:
        return JSON(error_body(_defect()), 500, {})

    async def on_gone(_: Request, __: Exception) -> Response:
        return Response(status_code=400)  # nobody is left to read it

    handlers: dict[type[Exception], Handler] = {
        Refused: on_refused,
        RequestValidationError: on_parameters,
        HTTPException: on_http,
        ClientDisconnect: on_gone,
        Exception: on_defect,
        **dict.fromkeys(UNAVAILABLE, on_away),
    }
    for failure, handler in handlers.items():
        app.add_exception_handler(failure, _silent_to_customers(handler))


def _silent_to_customers(handler: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answered = await handler(request, error)
        if reads_answers_to_customers(request.url.path):
            kept = {name: answered.headers[name] for name in ("allow", "retry-after") if name in answered.headers}
            return Response(status_code=answered.status_code, headers=kept)
        return answered

    return handle


def _why(status: int, request: Request, headers: Mapping[str, str]) -> str:
    path = mask_in_text(ascii(request.url.path)[1:-1][:200])
    if status == HTTPStatus.NOT_FOUND:
        return f"there is nothing at {path}; /openapi.json has every path"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not possible at {path}; allowed: {headers.get('allow', headers.get('Allow'))}"
    return HTTPStatus(status).phrase


def _defect() -> Refused:
    return Refused(Code.INTERNAL_ERROR, "a defect on our side; it is logged")
