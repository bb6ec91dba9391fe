"""What a form asks for is done once, however often its button is pressed."""

from collections.abc import Awaitable, Callable, Mapping
from secrets import token_urlsafe
from typing import Any

import orjson
from fastapi import Request

from api_gateway.application.accept_notification import Turn
from api_gateway.application.once import Replayed
from api_gateway.application.ports import Answer
from api_gateway.entrypoints.pages.visitors import Visitor
from api_gateway.entrypoints.posting import answered, once


async def do_once(
    request: Request, visitor: Visitor, document: Mapping[str, Any], do: Callable[[Turn], Awaitable[str]]
) -> str:
    """What `do` says was done, or what it said the first time; the form's `key` goes where an Idempotency-Key goes."""

    async def act(turn: Turn) -> Answer:
        return answered({"notice": await do(turn)})

    key = visitor.form.get("key", most=80) or token_urlsafe(16)
    done = await once(request, visitor.caller, key, dict(document), act)
    answer = done.answer if isinstance(done, Replayed) else done
    return str(orjson.loads(answer.body)["notice"])
