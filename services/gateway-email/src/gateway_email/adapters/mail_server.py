"""Connections to the mail server: made ready before a mail needs one, and used again."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiosmtplib

IDLE_SECONDS = 20.0
"""Shorter than any server keeps an idle connection."""
MOST_MAILS = 50
"""On one connection: servers end those that never do."""
RESET_SECONDS = 3.0
FINE = 250


@dataclass(frozen=True)
class Address:
    """Where the server is and how it is spoken to. `tls` verifies certificates; `None` is plain text for good."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    tls_at_once: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    our_name: str = "localhost"


@dataclass
class _Kept:
    client: aiosmtplib.SMTP
    mails: int
    closing: asyncio.TimerHandle | None = None


class MailServer:
    """One warm connection, more when several mails go out at once. A new `address` is for those made from then on."""

    def __init__(self, address: Address, *, connect_timeout: float, read_timeout: float) -> None:
        self.address = address
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._kept: _Kept | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection on which the next word is ours, logged in; whoever leaves it by an exception breaks it.

        Raises what aiosmtplib raises, `ssl.SSLError`, and `TimeoutError` when it takes too long.
        """
        async with asyncio.timeout(self._connect_timeout):
            kept = await self._warm() or _Kept(await self._fresh(), 0)
        try:
            yield kept.client
        except BaseException:
            kept.client.close()
            raise
        kept.mails += 1
        self._keep(kept)

    async def knock(self) -> None:
        """Come in anew, as a mail does that finds no connection: greeting, TLS, login. Sends nothing but NOOP.

        Raises what `connected` does.
        """
        async with asyncio.timeout(self._connect_timeout):
            came_in = _Kept(await self._fresh(), 0)
            try:
                await came_in.client.noop()
            finally:
                self._leave(came_in)

    async def close(self) -> None:
        """Say goodbye on every connection that is left."""
        kept, self._kept = self._kept, None
        if kept is not None:
            self._leave(kept)
        await asyncio.gather(*self._leaving)

    async def _warm(self) -> _Kept | None:
        """The kept connection, if the server still answers on it."""
        kept, self._kept = self._kept, None
        if kept is None:
            return None
        if kept.closing is not None:
            kept.closing.cancel()
        try:
            reply = await kept.client.execute_command(b"RSET", timeout=RESET_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            kept.client.close()
            return None
        except BaseException:
            kept.client.close()
            raise
        if reply.code != FINE:
            self._leave(kept)
            return None
        return kept

    async def _fresh(self) -> aiosmtplib.SMTP:
        at = self.address
        client = aiosmtplib.SMTP(
            hostname=at.host,
            port=at.port,
            username=at.username,
            password=at.password,
            local_hostname=at.our_name,
            timeout=self._read_timeout,
            use_tls=at.tls is not None and at.tls_at_once,
            start_tls=at.tls is not None and not at.tls_at_once,
            tls_context=at.tls,
        )
        await client.connect()
        try:
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except BaseException:
            client.close()
            raise
        return client

    def _keep(self, kept: _Kept) -> None:
        if self._kept is not None or kept.mails >= MOST_MAILS or not kept.client.is_connected:
            self._leave(kept)
            return
        kept.closing = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._grow_cold, kept)
        self._kept = kept

    def _grow_cold(self, kept: _Kept) -> None:
        if self._kept is kept:
            self._kept = None
            self._leave(kept)

    def _leave(self, kept: _Kept) -> None:
        task = asyncio.create_task(_goodbye(kept))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _goodbye(kept: _Kept) -> None:
    if kept.closing is not None:
        kept.closing.cancel()
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        await kept.client.quit(timeout=RESET_SECONDS)
    kept.client.close()
