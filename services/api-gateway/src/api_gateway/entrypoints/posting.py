"""What every POST has in common: its idempotency key."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.once import FIELD, Replayed
from api_gateway.application.ports import Answer
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Missing, invalid
from api_gateway.entrypoints.answering import JSON, encode
from api_gateway.entrypoints.bodies import NoBody
from api_gateway.entrypoints.reading import fingerprint, read_json, shaped
from api_gateway.entrypoints.uses import uses
from common.kernel.identity import new_id

Act = Callable[[Turn], Awaitable[Answer]]


def answered(content: Any, status: int = 200, location: str | None = None) -> Answer:
    """An answer that can be given again."""
    return Answer(status, encode(content), location)


async def removed(turn: Turn, removing: Awaitable[object], **which: str) -> Answer:
    """Says no more than can be said again: the try before this one, whose answer was lost, may have removed it."""
    try:
        await removing
    except Missing:
        if not turn.retaken:
            raise
    return answered({"success": True, **which})


async def post(request: Request, caller: Caller, document: dict[str, Any], act: Act) -> Response:
    """Do it; with an idempotency key once only, however often it is asked for."""
    key = _key(request)
    if key is None:
        return _respond(await act(Turn(new_id("ntf"), uses(request).clock.now())))
    done = await once(request, caller, key, document, act)
    if isinstance(done, Replayed):
        return _respond(done.answer, {"Idempotent-Replayed": "true"})
    return _respond(done)


async def post_bare(request: Request, caller: Caller, act: Act) -> Response:
    """The same where the path says everything; a body that says more is refused."""
    document = await read_json(request, optional=True)

    async def bare(turn: Turn) -> Answer:
        shaped(document, NoBody)
        return await act(turn)

    return await post(request, caller, document, bare)


async def once(request: Request, caller: Caller, key: str, document: dict[str, Any], act: Act) -> Answer | Replayed:
    """Do what a key stands for, a key of this caller, once."""
    owned = hashlib.sha256(f"{caller.subject}\n{key}".encode()).hexdigest()
    return await uses(request).once(owned, fingerprint(request, document), act)


def _respond(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    headers = dict(headers or {})
    if answer.location is not None:
        headers["Location"] = answer.location
    return JSON(answer.shown_once or answer.body, answer.status, headers)


def _key(request: Request) -> str | None:
    key = request.headers.get(FIELD)
    if key is None:
        return None
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise invalid(FIELD, "1 to 255 printable ASCII characters, like a UUID")
    return key
