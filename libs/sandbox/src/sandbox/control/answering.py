"""Reading control bodies strictly and answering errors that say what would have been right."""

from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sandbox.ledger import OF_WHATSAPP, ProviderName

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.world import World

Body = TypeVar("Body", bound=BaseModel)


class OrjsonResponse(Response):
    """JSON by orjson."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


class RefusedError(Exception):
    """A control call that makes no sense; ``errors`` says why, one line each."""

    def __init__(self, *errors: str, http_status: int = 422) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors
        self.http_status = http_status


class ControlEndpoint(HTTPEndpoint):
    """An endpoint over the world."""

    def world(self, request: "Request") -> "World":
        world: World = request.app.state.world
        return world


async def read_body(request: "Request", model: type[Body]) -> Body:
    """The JSON body as ``model``; ``RefusedError`` with one line per mistake."""
    content = await request.body()
    try:
        return model.model_validate_json(content or b"{}")
    except ValidationError as error:
        raise RefusedError(*explain(error)) from error


def read_query(request: "Request", model: type[Body]) -> Body:
    """The query as ``model``; ``RefusedError`` with one line per mistake."""
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise RefusedError(*explain(error)) from error


def explain(error: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}" for problem in error.errors()]


async def refused(_: "Request", error: Exception) -> Response:
    if not isinstance(error, RefusedError):
        raise error
    return OrjsonResponse({"error": str(error), "errors": list(error.errors)}, error.http_status)


async def http_error(_: "Request", error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    hint = f"{error.detail}; GET /control lists what there is"
    return OrjsonResponse({"error": hint, "errors": [hint]}, error.status_code)


async def read_object(request: "Request") -> dict[str, Any]:
    """The JSON body as an object of anything."""
    try:
        content = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise RefusedError("body: not readable JSON") from error
    if not isinstance(content, dict):
        raise RefusedError("body: must be a JSON object")
    return content


def provider_in_path(request: "Request") -> ProviderName:
    """The WhatsApp provider that the path names."""
    name = request.path_params["provider"]
    if name not in OF_WHATSAPP:
        raise RefusedError(f"no provider {name!r}; there are: {', '.join(OF_WHATSAPP)}", http_status=404)
    return ProviderName(name)
