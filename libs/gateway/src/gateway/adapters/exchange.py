"""One HTTP exchange watched from inside the transport: when its first byte goes out, and whether it could."""

from collections.abc import Mapping
from typing import Any

import httpcore

from gateway.application.ports import Permit


class Exchange:
    """Given to httpx as its `trace`. Holds the request back, with the connection made, until `permit` lets it go.

    So a slow connect costs a paced sender nothing of its gap, and it is known what a broken connection broke.
    """

    def __init__(self, permit: Permit) -> None:
        self._permit = permit
        self._permitted = False
        self._write_failed = False

    async def __call__(self, event: str, told: Mapping[str, Any]) -> None:
        if event == "http11.send_request_headers.started":
            await self.permitted()
        elif event in {"http11.send_request_headers.failed", "http11.send_request_body.failed"}:
            # The transport goes on to read an answer; if none comes, the request was not complete.
            self._write_failed = isinstance(told.get("exception"), httpcore.WriteError)

    async def permitted(self) -> None:
        """Wait for the permit, once."""
        if not self._permitted:
            await self._permit()
            self._permitted = True

    @property
    def may_have_arrived(self) -> bool:
        """Whether the provider may have read a whole request."""
        return self._permitted and not self._write_failed
