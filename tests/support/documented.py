"""Whether what the API answers is what /openapi.json says, to the field: none is missing and none is untold."""

from copy import deepcopy
from functools import cache
from typing import Any

import httpx
import jsonschema_rs
from fastapi.routing import APIRoute
from starlette.routing import Match

from api_gateway.entrypoints.application import PARTS, described


async def check(response: httpx.Response) -> None:
    """A hook for a client; passes by failures and whatever is no part of the API."""
    found = _found(response.request.method, response.request.url.path) if response.is_success else None
    if found is not None:
        await response.aread()
        _validator(*found, str(response.status_code)).validate(response.json())


@cache
def _documented() -> dict[str, Any]:
    document = deepcopy(described().openapi())  # parts of it are the application's own
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return document


def _found(method: str, path: str) -> tuple[str, str] | None:
    scope = {"type": "http", "method": method, "path": path, "root_path": ""}
    for route in (route for part in PARTS for route in part.router.routes):
        if isinstance(route, APIRoute) and route.include_in_schema and route.matches(scope)[0] is Match.FULL:
            told = _documented()["paths"][route.path_format][method.lower()]
            return (route.path_format, method.lower()) if told.get("security") != [] else None
    return None


@cache
def _validator(path: str, method: str, status: str) -> Any:
    document = _documented()
    schema = document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})
