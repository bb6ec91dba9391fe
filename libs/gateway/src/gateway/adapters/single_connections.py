"""Connections that never look at each other.

A pool of httpcore looks at every one of its connections, with a system call for each, whenever a request comes or
goes: at a hundred connections that is ten times the cost of the request itself. Here each call takes a connection from
a stack and gives it back when its answer is closed; the warm ones are on top.
"""

import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator

import httpcore
import httpx

from gateway.adapters.asyncio_network import AsyncioNetwork


class SingleConnections(httpx.AsyncBaseTransport):
    """HTTP/1.1 over as many connections as calls were ever under way at once to one place.

    TLS is verified, nothing of the environment is looked at, nothing is tried twice. An idle connection is used again
    within `idle_seconds`.
    """

    def __init__(self, tls: ssl.SSLContext, *, idle_seconds: float) -> None:
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._network = AsyncioNetwork()
        self._free: dict[str, list[httpcore.AsyncHTTPConnection]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        connection = await self._take(target.origin)
        asked = httpcore.Request(
            request.method, target, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        try:
            with _as_httpx():
                answer = await connection.handle_async_request(asked)
        except BaseException:
            await connection.aclose()
            raise
        if not hasattr(answer.stream, "__aiter__"):
            raise TypeError("an asynchronous connection answered with a synchronous stream")
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Lent(answer, lambda: self._give_back(target.origin, connection)),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        for connections in self._free.values():
            for connection in connections:
                await connection.aclose()
        self._free.clear()

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        free = self._free.setdefault(str(origin), [])
        while free:
            connection = free.pop()
            if connection.is_idle() and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._tls, keepalive_expiry=self._idle_seconds, network_backend=self._network
        )

    def _give_back(self, origin: httpcore.Origin, connection: httpcore.AsyncHTTPConnection) -> None:
        if connection.is_idle():
            self._free.setdefault(str(origin), []).append(connection)


class _Lent(httpx.AsyncByteStream):
    """An answer's body; closing it gives the connection back, once."""

    def __init__(self, answer: httpcore.Response, give_back: Callable[[], None]) -> None:
        self._answer = answer
        self._give_back: Callable[[], None] | None = give_back

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        try:
            with _as_httpx():
                await self._answer.aclose()
        finally:
            give_back, self._give_back = self._give_back, None
            if give_back is not None:
                give_back()


@contextlib.contextmanager
def _as_httpx() -> Iterator[None]:
    """Httpcore's failures by the names httpx gives them, which are the same."""
    try:
        yield
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        kind: type[httpx.TransportError] = getattr(httpx, type(error).__name__)
        raise kind(str(error)) from error
