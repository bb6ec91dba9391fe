"""The transport under every provider call, against real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpcore
import httpx
import pytest
import trustme

from gateway.adapters.asyncio_network import AsyncioNetwork
from gateway.adapters.single_connections import SingleConnections

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Server:
    """Answers every request in its connection as told, and counts connections."""

    def __init__(self, answer: bytes = ANSWER, *, closes: bool = False, silent: bool = False) -> None:
        self.answer, self.closes, self.silent = answer, closes, silent
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                if not self.silent:
                    writer.write(self.answer)
                    await writer.drain()
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


@asynccontextmanager
async def connections(tls: ssl.SSLContext | None = None) -> AsyncIterator[SingleConnections]:
    transport = SingleConnections(tls or ssl.create_default_context(), idle_seconds=3)
    async with transport:
        yield transport


async def get(transport: SingleConnections, url: str, *, seconds: float = 5.0) -> bytes:
    request = httpx.Request("GET", url, extensions={"timeout": httpx.Timeout(seconds).as_dict()})
    response = await transport.handle_async_request(request)
    try:
        return await response.aread()
    finally:
        await response.aclose()


async def test_calls_one_after_the_other_share_a_connection_and_calls_at_once_do_not() -> None:
    server = Server()
    async with server.running() as port, connections() as transport:
        url = f"http://127.0.0.1:{port}/"
        for _ in range(5):
            assert await get(transport, url) == b"ok"
        assert server.connections == 1
        assert await asyncio.gather(*(get(transport, url) for _ in range(20))) == [b"ok"] * 20
        assert server.connections == 20
        assert await asyncio.gather(*(get(transport, url) for _ in range(20))) == [b"ok"] * 20
        assert server.connections == 20


async def test_a_connection_the_server_closed_is_not_used_again() -> None:
    server = Server(closes=True)
    async with server.running() as port, connections() as transport:
        for _ in range(5):
            assert await get(transport, f"http://127.0.0.1:{port}/") == b"ok"
        assert server.connections == 5


async def test_tls_is_spoken_and_verified() -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(theirs)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    server = Server()
    async with server.running(theirs) as port:
        async with connections(trusting) as transport:
            for _ in range(3):
                assert await get(transport, f"https://localhost:{port}/") == b"ok"
            with pytest.raises(httpx.ConnectError, match=r"127\.0\.0\.1"):
                await get(transport, f"https://127.0.0.1:{port}/")
        async with connections() as distrusting:
            with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
                await get(distrusting, f"https://localhost:{port}/")


async def test_securing_a_connection_has_what_making_it_left_of_the_timeout() -> None:
    loop = asyncio.get_running_loop()
    async with Server(silent=True).running() as port:
        begun = loop.time()
        stream = await AsyncioNetwork().connect_tcp("127.0.0.1", port, timeout=1.0)
        await asyncio.sleep(0.8)  # as if making it had taken that long
        with pytest.raises(httpcore.ConnectTimeout):
            await stream.start_tls(ssl.create_default_context(), "localhost", timeout=1.0)
        assert 0.99 < loop.time() - begun < 1.5


async def test_nobody_there_is_a_connect_error() -> None:
    async with Server().running() as port:
        pass
    async with connections() as transport:
        with pytest.raises(httpx.ConnectError):
            await get(transport, f"http://127.0.0.1:{port}/")


async def test_no_answer_is_a_read_timeout_and_the_connection_is_given_up() -> None:
    server = Server(silent=True)
    async with server.running() as port, connections() as transport:
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                await get(transport, f"http://127.0.0.1:{port}/", seconds=0.2)
        assert server.connections == 2


async def test_a_long_answer_arrives_whole_though_it_has_to_wait() -> None:
    body = b"x" * 5_000_000
    server = Server(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    async with server.running() as port, connections() as transport:
        assert await get(transport, f"http://127.0.0.1:{port}/") == body


async def test_an_answer_that_is_no_http_is_a_protocol_error() -> None:
    async with Server(b"hello\r\n\r\n", closes=True).running() as port, connections() as transport:
        with pytest.raises(httpx.RemoteProtocolError):
            await get(transport, f"http://127.0.0.1:{port}/")
