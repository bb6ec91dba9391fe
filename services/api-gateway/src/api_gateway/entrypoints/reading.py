"""Read a request's body: bounded, JSON, of the right shape."""

import hashlib
import json
from typing import Any, TypeVar

import orjson
from fastapi import Request
from pydantic import ValidationError

from api_gateway.domain.audience import NO_NUMBER
from api_gateway.domain.refusals import Code, Oversized, Problem, Refused, Unsupported, invalid
from api_gateway.domain.wording import in_words
from api_gateway.entrypoints.bodies import Body

MOST_BYTES = 8 * 1024 * 1024
MOST_PROBLEMS = 10
B = TypeVar("B", bound=Body)


async def read(request: Request, *, most_bytes: int = MOST_BYTES) -> bytes:
    """The body's bytes; raises `Oversized` as soon as it is known to be too large."""
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and (len(told) > 10 or int(told) > most_bytes):
        raise _oversized(most_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            raise _oversized(most_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


async def read_json(request: Request, *, optional: bool = False) -> dict[str, Any]:
    """The body as a JSON object; nothing at all is `{}` when it is optional."""
    raw = await read(request)
    if optional and not raw.strip():
        return {}
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Unsupported(
            Code.UNSUPPORTED_MEDIA_TYPE, f"Content-Type is {media_type[:60]!r}; send application/json",
            [Problem("Content-Type", "send application/json")],
        )  # fmt: skip
    if not raw.strip():
        raise invalid("body", "is empty")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise invalid("body", f"not JSON: {_where(error)}") from error
    if not isinstance(document, dict):
        raise invalid("body", "must be a JSON object, like {…}")
    return document


def shaped(document: dict[str, Any], shape: type[B]) -> B:
    """The document as a body of this shape; raises `Refused` naming every wrong field."""
    try:
        return shape.model_validate(document)
    except ValidationError as error:
        raise refused(error, shape) from error


def refused(error: ValidationError, shape: type[Body]) -> Refused:
    """What pydantic found, in our error shape."""
    problems: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False)[:MOST_PROBLEMS]:
        location = [str(part) for part in one["loc"]]
        name = ".".join(part for part in location if part.isidentifier() or part.isdecimal())[:120] or "body"
        problems.setdefault(_field(name), _advice(one, shape))
    found = [Problem(name, text) for name, text in problems.items()]
    return Refused(Code.VALIDATION_ERROR, "; ".join(f"{one.field}: {one.error}" for one in found), found)


def fingerprint(request: Request, document: dict[str, Any]) -> str:
    """The same for requests that ask for the same, however their JSON is laid out."""
    try:
        canonical = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # nested deeper than orjson writes; such a body is refused later
        try:
            canonical = json.dumps(document, sort_keys=True).encode()
        except RecursionError as error:
            raise invalid("body", "nested too deep") from error
    path = f"{request.method} {request.url.path}\n".encode()
    return hashlib.sha256(path + canonical).hexdigest()


def _field(name: str) -> str:
    """Without the branch of a union pydantic adds."""
    for branch in (".str", ".int", ".float"):
        name = name.removesuffix(branch)
    return "to" if name.startswith("to.list") else name


def _advice(problem: Any, shape: type[Body]) -> str:
    if problem["type"] == "extra_forbidden":
        if not shape.model_fields:
            return "this request takes no body"
        known = ", ".join(shape.model_fields) if len(problem["loc"]) == 1 else "to, message, data"
        return f"unknown field; known are {known}"
    if problem["loc"][:1] == ("to",) and problem["type"] in {"string_type", "list_type"}:
        return NO_NUMBER
    return in_words(problem)


def _where(error: orjson.JSONDecodeError) -> str:
    return f"{error.msg.partition(':')[0][:120]} at line {error.lineno}, column {error.colno}"


def _oversized(most_bytes: int) -> Oversized:
    size = f"{most_bytes // 1024} KB" if most_bytes < 1024 * 1024 else f"{most_bytes // 1024 // 1024} MB"
    return Oversized(
        Code.PAYLOAD_TOO_LARGE, f"body: larger than {size}; split the call",
        [Problem("body", "split the call")],
    )  # fmt: skip
