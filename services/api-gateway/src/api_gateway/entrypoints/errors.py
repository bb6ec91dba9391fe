"""Every error in one shape: `{"success": false, "error": …, "code": …}`, with the fields at fault where there are."""

from datetime import UTC, datetime
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
    Unsupported,
)
from api_gateway.entrypoints.answering import JSON
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
    Limited: 429,
    Unavailable: 503,
}
_CODES = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED, 413: Code.PAYLOAD_TOO_LARGE}


def error_body(refused: Refused) -> dict[str, Any]:
    body: dict[str, Any] = {"success": False, "error": refused.error, "code": refused.code}
    if refused.problems:
        body["fields"] = [{"field": one.field, "error": one.error} for one in refused.problems]
    return {**body, **refused.details}


def answer(refused: Refused) -> Response:
    headers = {}
    if isinstance(refused, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refused, Unavailable):
        headers["Retry-After"] = "2"
    reset_at = refused.details.get("reset_at")
    if isinstance(refused, Limited) and isinstance(reset_at, datetime):
        headers["Retry-After"] = str(max(1, round((reset_at - datetime.now(UTC)).total_seconds())))
    return JSON(error_body(refused), STATUSES[type(refused)], headers)


def install(app: FastAPI) -> None:
    """Have every failure answered in the error shape."""

    async def on_refused(_: Request, error: Exception) -> Response:
        return answer(error) if isinstance(error, Refused) else answer(_defect())

    async def on_parameters(_: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        problems = [Problem(str(one["loc"][-1]), str(one["msg"])) for one in found]
        text = "; ".join(f"{one.field}: {one.error}" for one in problems)
        return answer(Refused(Code.VALIDATION_ERROR, text, problems))

    async def on_http(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        code = _CODES.get(status, Code.VALIDATION_ERROR if status < 500 else Code.INTERNAL_ERROR)
        body = {"success": False, "error": HTTPStatus(status).phrase, "code": code}
        return JSON(body, status, headers)

    async def on_away(_: Request, __: Exception) -> Response:
        return answer(Unavailable(Code.UNAVAILABLE, "the database does not answer; ask again in a moment"))

    async def on_defect(_: Request, __: Exception) -> Response:
        return JSON(error_body(_defect()), 500, {})

    async def on_gone(_: Request, __: Exception) -> Response:
        return Response(status_code=400)  # nobody is left to read it

    app.add_exception_handler(Refused, on_refused)
    app.add_exception_handler(RequestValidationError, on_parameters)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(ClientDisconnect, on_gone)
    for away in UNAVAILABLE:
        app.add_exception_handler(away, on_away)
    app.add_exception_handler(Exception, on_defect)


def _defect() -> Refused:
    return Refused(Code.INTERNAL_ERROR, "a defect on our side; it is logged")
