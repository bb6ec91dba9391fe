"""One HTTP request and the many ways of answering it, or not."""

import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send

JSON = b"application/json"
HTML = b"text/html; charset=UTF-8"

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True, frozen=True)
class Answer:
    """An HTTP answer before it is written: status, whole body, content type."""

    status: int
    body: bytes
    content_type: bytes = JSON

    @classmethod
    def json(cls, content: object, status: int = 200) -> "Answer":
        return cls(status, orjson.dumps(content))


class Exchange:
    """A request being answered. ``body`` is there after ``read()``; times are Unix seconds."""

    __slots__ = ("_receive", "_send", "body", "headers", "method", "path", "query", "received_at", "transport")

    def __init__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        self._receive = receive
        self._send = send
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.received_at: float = scope["received_at"]
        self.transport: asyncio.Transport = scope["transport"]
        self.body = b""

    def header(self, name: bytes) -> bytes:
        """The first header of that lower-case name, or nothing."""
        for key, value in self.headers:
            if key == name:
                return value
        return b""

    async def read(self) -> bool:
        """Take the whole body in; false when the client left before its end."""
        part = await self._receive()
        if part["type"] == "http.disconnect":
            return False
        self.body = part.get("body", b"")
        if not part.get("more_body", False):
            return True
        parts = [self.body]
        while part.get("more_body", False):
            part = await self._receive()
            if part["type"] == "http.disconnect":
                return False
            parts.append(part.get("body", b""))
        self.body = b"".join(parts)
        return True

    async def answer(self, answer: Answer) -> None:
        """Write a complete answer."""
        await self._start(answer)
        await self._send({"type": "http.response.body", "body": answer.body})

    async def cut_off(self, answer: Answer) -> None:
        """Promise the whole body, write half of it and close the connection."""
        await self._start(answer)
        half = answer.body[: len(answer.body) // 2]
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        await self.close()

    async def reset(self) -> None:
        """Reset the connection (TCP RST) without answering."""
        handle = self.transport.get_extra_info("socket")
        if handle is not None:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()
        await self.gone()

    async def close(self) -> None:
        """Close the connection in the ordinary way (TCP FIN) without answering further."""
        self.transport.close()
        await self.gone()

    async def gone(self) -> None:
        """Wait until the client has left or the connection is closed."""
        while True:
            event: Any = await self._receive()
            if event["type"] == "http.disconnect":
                return

    async def _start(self, answer: Answer) -> None:
        await self._send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [
                    (b"content-type", answer.content_type),
                    (b"content-length", b"%d" % len(answer.body)),
                ],
            }
        )
