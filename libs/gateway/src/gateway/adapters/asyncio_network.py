"""The network as httpcore wants it, straight on asyncio's transports.

httpcore's own backend goes through anyio, whose cancel scopes and look-ups cost more than the rest of a short request.
"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, cast

import httpcore

MOST_UNREAD = 128 * 1024
"""Bytes that wait unread before the other side is made to wait."""


class AsyncioNetwork(httpcore.AsyncNetworkBackend):
    """Connects over TCP; `start_tls` of the stream does the rest, in the time that is left of its own timeout."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if local_address is not None or socket_options is not None:
            raise NotImplementedError("neither a local address nor socket options are ever asked for here")
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(timeout):
                _, incoming = await loop.create_connection(_Incoming, host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return _Stream(incoming, begun)


class _Incoming(asyncio.Protocol):
    """What has arrived and was not read yet, and whether more can."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.unread = bytearray()
        self.ended = False
        self.error: Exception | None = None
        self._arrived: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class does not say that it is one

    def data_received(self, data: bytes) -> None:
        self.unread += data
        if len(self.unread) > MOST_UNREAD:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.ended = True
        self._wake()
        return False  # the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self.error = True, exc
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    async def arrival(self) -> None:
        """Wait until there is something to read or to know."""
        while not self.unread and not self.ended:
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived

    async def written(self) -> None:
        """Wait until what was written is on its way."""
        if self._writable is not None:
            await self._writable

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, incoming: _Incoming, begun: float) -> None:
        self._incoming = incoming
        self._begun = begun

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        incoming = self._incoming
        if not incoming.unread:
            try:
                async with asyncio.timeout(timeout):
                    await incoming.arrival()
            except TimeoutError as error:
                raise httpcore.ReadTimeout from error
        if not incoming.unread and incoming.error is not None:
            raise httpcore.ReadError(str(incoming.error)) from incoming.error
        data = bytes(incoming.unread[:max_bytes])
        del incoming.unread[:max_bytes]
        if data and len(incoming.unread) <= MOST_UNREAD and not incoming.transport.is_reading() and not incoming.ended:
            incoming.transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        incoming = self._incoming
        if not buffer:
            return
        if incoming.transport.is_closing():
            raise httpcore.WriteError("the connection is closed") from incoming.error
        incoming.transport.write(buffer)
        try:
            async with asyncio.timeout(timeout):
                await incoming.written()
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error

    async def aclose(self) -> None:
        self._incoming.transport.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        incoming, loop = self._incoming, asyncio.get_running_loop()
        try:
            # A provider that is slow to connect and slow to secure has one time for both.
            async with asyncio.timeout_at(None if timeout is None else self._begun + timeout):
                secured = await loop.start_tls(
                    incoming.transport, incoming, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            incoming.transport.abort()
            raise httpcore.ConnectTimeout from error
        except OSError as error:  # what ssl raises is one too
            incoming.transport.abort()
            raise httpcore.ConnectError(str(error)) from error
        if secured is None:
            raise httpcore.ConnectError("the connection was lost before it was secured")
        incoming.transport = secured
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of an idle connection: anything to read there means that it is over
            return bool(self._incoming.unread) or self._incoming.ended or self._incoming.transport.is_closing()
        return self._incoming.transport.get_extra_info("ssl_object" if info == "ssl_object" else info)
