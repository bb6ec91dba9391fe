"""SMTP as aiosmtpd speaks it, entered in the ledger step by step and disturbed by the same faults as the providers.

A fault's ``endpoint`` is the step it hits: ``auth``, ``mail``, ``rcpt``, ``data``, or ``send`` for the whole message.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from sandbox.faults.fault import Fault, FaultKind
from sandbox.ledger import Call, Ledger, MessageState, ProviderName
from sandbox.mail.mailbox import Mail, Mailbox, parsed, text_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from sandbox.faults.plan import FaultPlan

DEVICE = "email-1"
TAKEN = "250 2.0.0 OK"
logging.getLogger("mail.log").setLevel(logging.ERROR)


@dataclass(slots=True)
class Step:
    """One thing a client asked for; what a fault looks at to know whether it is meant."""

    call: Call
    endpoint: str
    sends: bool
    recipients: list[str]
    token: str = ""


@dataclass(frozen=True)
class Manners:
    """What the server asks of its clients; ``login`` is the user and the password that are right (``None``: any)."""

    starttls: "ssl.SSLContext | None" = None
    login: tuple[str, str] | None = None


class PostOffice:
    """Takes mails on as many connections as come; ``opened`` counts them."""

    def __init__(self, ledger: Ledger, faults: "FaultPlan", manners: Manners | None = None) -> None:
        self.ledger = ledger
        self.faults = faults
        self.manners = manners or Manners()
        self.mailbox = Mailbox()
        self.opened = 0

    async def listen(self, host: str, port: int, *, tls: "ssl.SSLContext | None" = None) -> asyncio.Server:
        """Serve from now on; with ``tls`` it is spoken from the first byte."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Connection(self, loop), host, port, ssl=tls)

    def admit(self, login: bytes, password: bytes) -> bool:
        """Whether a login is right, and no fault refuses it."""
        step = Step(Call(-1, ProviderName.EMAIL, "auth", time.time()), "auth", sends=False, recipients=[])
        right = self.manners.login in {None, (login.decode(), password.decode())}
        return right and self.faults.choose(step) is None

    def take(self, call: Call, sender: str, recipient: str, raw: bytes) -> None:
        read = parsed(raw)
        message = self.ledger.accept(
            call,
            message_id=str(read["Message-ID"] or ""),
            recipient=recipient,
            text=text_of(read).strip("\r\n"),
            reference=str(read["X-Kabar-Attempt"] or "") or None,
            state=MessageState.SENT,
        )
        self.mailbox.mails.append(Mail(message, sender, raw))
        self.ledger.bell.ring()


class _Connection(SMTP):
    """One client; its hooks are those aiosmtpd looks for in a handler."""

    def __init__(self, office: PostOffice, loop: asyncio.AbstractEventLoop) -> None:
        self.office = office
        self.call: Call | None = None
        self.heard_at = 0.0
        super().__init__(
            self,
            hostname="sandbox",
            ident="sandbox",
            loop=loop,
            tls_context=office.manners.starttls,
            require_starttls=office.manners.starttls is not None,
            auth_require_tls=False,
            authenticator=self._authenticate_login,
        )
        # Asked for as an argument it would warn of logins in plain text, which reach nobody here.
        self._auth_required = office.manners.login is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._tls_protocol is None:  # STARTTLS makes it once more
            self.office.opened += 1
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.time()
        super().data_received(data)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd looks it up by this name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        self.call = self.office.ledger.open_call(ProviderName.EMAIL, "mail", self.heard_at)
        self.call.device = DEVICE
        refused = await self._disturbed("mail", [])
        if refused is None:
            envelope.mail_from = address
        return self._said(refused or TAKEN)

    async def handle_RCPT(  # noqa: N802 - likewise
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if self.call is not None:
            self.call.recipient = address
        refused = await self._disturbed("rcpt", [address])
        if refused is None:
            envelope.rcpt_tos.append(address)
        return self._said(refused or TAKEN)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - likewise
        refused = await self._disturbed("data", self._recipients())
        if refused is not None:
            await self.push(self._said(refused))
            return
        await super().smtp_DATA(arg)

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        def take() -> None:
            if self.call is not None and isinstance(envelope.content, bytes):
                recipients = ",".join(envelope.rcpt_tos)
                self.office.take(self.call, envelope.mail_from or "", recipients, envelope.content)

        refused = await self._disturbed("send", self._recipients(), take)
        if refused is None:
            take()
        return self._said(refused or TAKEN)

    async def _disturbed(
        self, endpoint: str, recipients: list[str], take: "Callable[[], None]" = lambda: None
    ) -> str | None:
        """What a fault says instead of yes; it ends with the connection where a fault says nothing."""
        if self.call is None:
            return None
        fault = self.office.faults.choose(Step(self.call, endpoint, endpoint == "send", recipients))
        if fault is None:
            return None
        self.call.fault = fault.kind
        if fault.accepts and fault.kind is not FaultKind.LATE:
            take()
        await asyncio.sleep(fault.delay_seconds)
        return await self._enacted(fault)

    async def _enacted(self, fault: Fault) -> str | None:
        match fault.kind:
            case FaultKind.REFUSE | FaultKind.RESPOND:
                return f"{fault.http_status or 550} {fault.reason or fault.body or 'said so'}"
            case FaultKind.LATE:
                return None
            case FaultKind.HANG:
                pass
            case FaultKind.RESET:
                self._now().abort()
            case FaultKind.DROP:
                self._now().close()
            case FaultKind.CUT_OFF | FaultKind.TRUNCATE:
                self._now().write(b"250-2.0.0 O")
                self._now().close()
            case _ as never:
                assert_never(never)
        await asyncio.Event().wait()  # until the connection is gone, which cancels this
        return None

    def _now(self) -> asyncio.WriteTransport:
        transport: Any = self.transport
        return transport  # type: ignore[no-any-return]  # aiosmtpd types it as any transport

    def _recipients(self) -> list[str]:
        return list(self.envelope.rcpt_tos) if self.envelope is not None else []

    def _said(self, status: str) -> str:
        if self.call is not None:
            self.call.http_status = int(status[:3])
            self.call.answered_at = time.time()
        return status

    def _authenticate_login(self, _: SMTP, __: Session, ___: Envelope, ____: str, data: Any) -> AuthResult:
        return AuthResult(success=self.office.admit(data.login, data.password), handled=False)
