"""Connections that never look at each other.

A pool of httpcore looks at every one of its connections, with a system call for each, whenever a request comes or
goes: at a hundred connections that is ten times the cost of the request itself. So each call takes a pool of one
connection from a stack, and gives it back when its answer is closed; the warm ones are on top.
"""

from collections.abc import AsyncIterator, Callable

import httpx


class SingleConnections(httpx.AsyncBaseTransport):
    """As many transports of one connection each as calls were ever under way at once."""

    def __init__(self, connect: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._connect = connect
        self._every: list[httpx.AsyncBaseTransport] = []
        self._free: list[httpx.AsyncBaseTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        connection = self._free.pop() if self._free else self._another()
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            self._free.append(connection)
            raise
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise TypeError("an asynchronous transport answered with a synchronous stream")
        response.stream = _Lent(response.stream, lambda: self._free.append(connection))
        return response

    async def aclose(self) -> None:
        for connection in self._every:
            await connection.aclose()

    def _another(self) -> httpx.AsyncBaseTransport:
        connection = self._connect()
        self._every.append(connection)
        return connection


class _Lent(httpx.AsyncByteStream):
    """An answer's body; closing it gives the connection back, once."""

    def __init__(self, stream: httpx.AsyncByteStream, give_back: Callable[[], None]) -> None:
        self._stream = stream
        self._give_back: Callable[[], None] | None = give_back

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            give_back, self._give_back = self._give_back, None
            if give_back is not None:
                give_back()
