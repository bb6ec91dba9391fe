"""JSON answers."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response


def encode(content: Any) -> bytes:
    """JSON with moments as `2025-11-15T02:00:00Z`."""
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)


class JSON(Response):
    """A JSON answer, from content or from what was encoded before."""

    media_type = "application/json"

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else encode(content)
        super().__init__(body, status, headers)
