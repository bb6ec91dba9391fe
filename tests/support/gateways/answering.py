"""A provider whose every answer the test writes, at httpx's transport seam."""

import json
from dataclasses import dataclass, field

import httpx

from common.contracts.events import AttemptRequest
from gateway.adapters.http_provider import HttpProvider
from gateway.domain.account import Account
from gateway.domain.answer import Answer
from gateway.domain.dialect import Dialect

ACCOUNT = Account("sender-1", "TOKEN-OF-SENDER-1")


@dataclass
class Answering:
    """Answers every request alike and keeps what was asked."""

    status: int = 200
    body: bytes = b""
    error: Exception | None = None
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return httpx.Response(self.status, content=self.body)


async def permit() -> None:
    """Always let the call go."""


def asked_for(recipient: str = "6281200000001", text: str = "Halo") -> AttemptRequest:
    return AttemptRequest(delivery_id="dlv_1", number=2, recipient=recipient, text=text)


async def answer_to(dialect: Dialect, content: object, status: int = 200) -> Answer:
    """What one exchange comes to when the provider answers with `content` (JSON, or bytes as they are)."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await exchanged(dialect, Answering(status, body))


async def exchanged(dialect: Dialect, answering: Answering, request: AttemptRequest | None = None) -> Answer:
    provider = HttpProvider(dialect, httpx.MockTransport(answering), connect_timeout=1, read_timeout=1)
    return await provider.send(ACCOUNT, request or asked_for(), permit)
