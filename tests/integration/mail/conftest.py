"""A mail server in this process, real sockets and certificates, and the provider that speaks to it."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme

from common.contracts.events import AttemptRequest
from gateway.domain.account import Account
from gateway.domain.answer import Answer
from gateway_email.adapters.mail_server import Address, MailServer
from gateway_email.adapters.smtp_provider import SmtpProvider
from gateway_email.domain.mail import Writer
from sandbox.faults.fault import Fault
from sandbox.faults.plan import FaultPlan
from sandbox.ledger import Ledger, ProviderName
from sandbox.mail.mailbox import Mail, as_json
from sandbox.mail.server import Manners, PostOffice

SARI = "sari@example.com"
LOGIN = ("kabar", "kata-sandi-rahasia")
ACCOUNT = Account("email-1", "kabar")
WRITER = Writer("kabar@example.com", "Kabar Net")


class Clock:
    def now(self) -> datetime:
        return datetime(2025, 11, 15, 1, 0, tzinfo=UTC)


def asked(
    recipient: str = SARI, *, number: int = 1, subject: str | None = "Tagihan", text: str = "Halo", **more: Any
) -> AttemptRequest:
    return AttemptRequest(delivery_id="dlv_1-2", number=number, recipient=recipient, subject=subject, text=text, **more)


@dataclass
class Post:
    """One server and one client of it; `permits` is what happens before the first word about a mail."""

    office: PostOffice
    provider: SmtpProvider
    server: MailServer
    permits: list[int] = field(default_factory=list)

    async def send(self, request: AttemptRequest | None = None) -> Answer:
        async def permitted() -> None:
            self.permits.append(len(self.office.ledger.calls))

        return await self.provider.send(ACCOUNT, request or asked(), permitted)

    def fault(self, kind: str, **more: Any) -> None:
        self.office.faults.arm(Fault.model_validate({"kind": kind, "provider": ProviderName.EMAIL, **more}))

    def refuse(self, code: int, said: str, *, at: str = "send", **more: Any) -> None:
        self.fault("refuse", http_status=code, reason=said, endpoint=at, **more)

    @property
    def calls(self) -> int:
        return len(self.office.ledger.calls)

    @property
    def mails(self) -> list[Mail]:
        return self.office.mailbox.mails

    @property
    def mail(self) -> dict[str, Any]:
        """The only one."""
        [mail] = self.mails
        return as_json(mail)


@dataclass(frozen=True)
class Certificates:
    """An authority only the tests trust, and its certificate for `localhost`."""

    authority: trustme.CA

    def server(self, name: str = "localhost") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name).configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return Certificates(trustme.CA())


OpenPost = Callable[..., Awaitable["Post"]]


@asynccontextmanager
async def opened(
    *,
    server_tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    client_tls: ssl.SSLContext | None = None,
    tls_at_once: bool = False,
    login: tuple[str, str] | None = None,
    wanted: tuple[str, str] | None = None,
    read_timeout: float = 1.0,
) -> AsyncIterator[Post]:
    office = PostOffice(Ledger(), FaultPlan({ProviderName.EMAIL: {}}), Manners(starttls, wanted))
    listening = await office.listen("localhost", 0, tls=server_tls)
    username, password = login or (None, None)
    port = listening.sockets[0].getsockname()[1]
    address = Address("localhost", port, client_tls, tls_at_once, username, password, "example.com")
    server = MailServer(address, connect_timeout=1.0, read_timeout=read_timeout)
    provider = SmtpProvider(server, WRITER, Clock(), connect_timeout=1.0, read_timeout=read_timeout)
    try:
        yield Post(office, provider, server)
    finally:
        await server.close()
        listening.close()


@pytest.fixture
async def open_post() -> AsyncIterator[OpenPost]:
    """Opens a post office; all are closed at the end."""
    async with AsyncExitStack() as stack:

        async def start(**how: Any) -> Post:
            return await stack.enter_async_context(opened(**how))

        yield start


@pytest.fixture
async def post(open_post: OpenPost) -> Post:
    """One that asks for nothing."""
    return await open_post()
