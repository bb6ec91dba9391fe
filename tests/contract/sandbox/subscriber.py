"""A real HTTP listener that keeps what it is sent and answers as it is told."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Subscriber:
    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.answer_body = b""
        self.url = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            del line
            headers = {}
            while (line := await reader.readline()).strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            content = await reader.readexactly(int(headers["content-length"]))
            is_json = headers["content-type"] == "application/json"
            self.bodies.append(json.loads(content) if is_json else dict(parse_qsl(content.decode())))
            status = self.statuses.pop(0) if self.statuses else 200
            head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(self.answer_body)}\r\n\r\n"
            writer.write(head.encode() + self.answer_body)
            await writer.drain()


@asynccontextmanager
async def listening_subscriber() -> "AsyncIterator[Subscriber]":
    subscriber = Subscriber()
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await subscriber.take(reader, writer)
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    subscriber.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhooks"
    try:
        yield subscriber
    finally:
        server.close()
        closing = list(connections)
        for task in closing:
            task.cancel()
        await asyncio.gather(*closing, return_exceptions=True)
