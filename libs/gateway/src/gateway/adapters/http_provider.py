"""A provider behind HTTP: one request, one answer, never a second try."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import orjson

from common.contracts.events import AttemptRequest
from common.contracts.vocabulary import FailureClass
from common.kernel.failures import Transient
from gateway.adapters.exchange import Exchange
from gateway.adapters.single_connections import SingleConnections
from gateway.application.ports import Permit
from gateway.domain.account import Account
from gateway.domain.answer import Accepted, Answer, Refused, Unknown
from gateway.domain.dialect import Call, Dialect, Unsendable
from gateway.domain.transport import answer_without_word, broken_exchange

ANSWER_BYTES = 64 * 1024
"""No answer is longer; what follows is not read."""
KEEP_IDLE_SECONDS = 3.0
"""Shorter than any server keeps an idle connection: one that closes as we write would leave an unknown outcome."""
ENQUIRY_SECONDS = 15.0
"""An enquiry that takes longer is given up; nothing is lost by asking again."""
ENQUIRY_BYTES = 4 * 1024 * 1024
SPARE_SECONDS = 4.0
"""Beyond both timeouts, for the permit and for an answer that drips."""

ALWAYS = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "kabar"}


class HttpProvider:
    """Speaks a dialect over HTTP/1.1. The whole exchange has a deadline, whatever each of its steps takes."""

    def __init__(
        self, dialect: Dialect, transport: httpx.AsyncBaseTransport, *, connect_timeout: float, read_timeout: float
    ) -> None:
        self._dialect = dialect
        self._transport = transport
        self._timeouts = httpx.Timeout(read_timeout, connect=connect_timeout, pool=connect_timeout).as_dict()
        self._connect_timeout = connect_timeout
        self._longest = connect_timeout + read_timeout + SPARE_SECONDS
        self._under_way: set[asyncio.Timeout] = set()
        self._cut = False

    async def send(self, account: Account, request: AttemptRequest, permit: Permit) -> Answer:
        try:
            call = self._dialect.write(account, request)
        except Unsendable as error:
            return Refused(FailureClass.RECIPIENT, str(error))
        exchange = Exchange(permit)
        try:
            async with asyncio.timeout(self._longest) as limit:
                self._under_way.add(limit)
                try:
                    status, body = await self._exchange(call, exchange, ANSWER_BYTES)
                finally:
                    self._under_way.discard(limit)
        except TimeoutError:
            waited = "stopped while waiting for the answer" if self._cut else f"no answer in {self._longest:g} s"
            return broken_exchange(waited, may_have_arrived=exchange.may_have_arrived)
        except (httpx.HTTPError, httpx.StreamError, ssl.SSLError, OSError) as error:
            return broken_exchange(self._reason(error), may_have_arrived=exchange.may_have_arrived)
        return self._read(status, body)

    async def ask(self, call: Call) -> Mapping[str, Any]:
        """The JSON object an enquiry is answered with, whatever the status; raises `Transient` when there is none."""

        async def at_once() -> None: ...

        try:
            async with asyncio.timeout(ENQUIRY_SECONDS):
                status, body = await self._exchange(call, Exchange(at_once), ENQUIRY_BYTES)
        except (TimeoutError, httpx.HTTPError, httpx.StreamError, ssl.SSLError, OSError) as error:
            raise Transient(f"no answer to an enquiry: {type(error).__name__}") from error
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Transient(f"HTTP {status} without JSON to an enquiry") from error
        if not isinstance(content, dict):
            raise Transient(f"HTTP {status} without an object to an enquiry")
        return content

    def cut(self) -> None:
        self._cut = True
        now = asyncio.get_running_loop().time()
        for limit in self._under_way:
            with contextlib.suppress(RuntimeError):  # it is just ending by itself
                limit.reschedule(now)

    async def _exchange(self, call: Call, exchange: Exchange, most_bytes: int) -> tuple[int, bytes]:
        request = httpx.Request(
            call.method,
            call.url,
            headers={**ALWAYS, **call.headers},
            content=call.body,
            extensions={"timeout": self._timeouts, "trace": exchange},
        )
        response = await self._transport.handle_async_request(request)
        body = bytearray()
        try:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > most_bytes:
                    break
        finally:
            await response.aclose()
        return response.status_code, bytes(body[:most_bytes])

    def _read(self, status: int, body: bytes) -> Answer:
        """The provider's word comes first, whatever the status; without one the status decides."""
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            kind = "an empty body" if not body.strip() else "a body that is not JSON"
            nothing = answer_without_word(status, kind)
            return self._traced(nothing, body)
        answer = self._dialect.read(content) if isinstance(content, dict) else None
        if answer is None:
            return answer_without_word(status, "JSON that says neither yes nor no")
        if isinstance(answer, Accepted) and not 200 <= status < 300:
            return Unknown(f"HTTP {status} with an answer that says it was accepted", answer.provider_message_id)
        return answer

    def _traced(self, answer: Answer, body: bytes) -> Answer:
        """An unknown outcome with the id by which the provider may report on it."""
        return replace(answer, provider_message_id=self._dialect.trace(body)) if isinstance(answer, Unknown) else answer

    def _reason(self, error: Exception) -> str:
        match error:
            case httpx.ConnectTimeout() | httpx.PoolTimeout():
                return f"no connection in {self._connect_timeout:g} s"
            case httpx.ReadTimeout():
                return f"no answer in {self._timeouts['read']:g} s"
            case _:
                return f"{type(error).__name__}: {error}".rstrip(": ")


@asynccontextmanager
async def http_provider(
    dialect: Dialect, *, connect_timeout: float, read_timeout: float
) -> AsyncIterator[HttpProvider]:
    """A provider over real connections: TLS verified, no proxy from the environment, no redirects, no retries."""
    # How many calls run at once is decided where envelopes are taken.
    transport = SingleConnections(ssl.create_default_context(), idle_seconds=KEEP_IDLE_SECONDS)
    async with transport:
        yield HttpProvider(dialect, transport, connect_timeout=connect_timeout, read_timeout=read_timeout)
