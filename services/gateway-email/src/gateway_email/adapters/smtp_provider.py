"""A provider behind SMTP: one mail, one reply, never a second try."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import aiosmtplib

from common.contracts.events import AttemptRequest
from common.contracts.vocabulary import FailureClass
from common.kernel.clock import Clock
from common.kernel.failures import Transient
from gateway.application.ports import Permit
from gateway.domain.account import Account
from gateway.domain.answer import Answer, Refused
from gateway.domain.device import Device
from gateway.domain.dialect import Unsendable
from gateway.domain.transport import broken_exchange
from gateway_email.adapters.mail_server import MailServer
from gateway_email.domain.mail import Mail, Writer, write_mail
from gateway_email.domain.replies import Step, readable, refusal, verdict

SPARE_SECONDS = 4.0
"""Beyond both timeouts, for the permit and for replies that drip."""
GO_ON = 354
STEPS = (Step.SENDER, Step.RECIPIENT, Step.DATA)


@dataclass
class _Exchange:
    """How far one exchange came: from the first byte of the content on, the server may have taken the mail."""

    connected: bool = False
    handed_over: bool = False


class SmtpProvider:
    """Hands mails to one server. The whole exchange has a deadline, whatever each of its steps takes."""

    def __init__(
        self, server: MailServer, writer: Writer, clock: Clock, *, connect_timeout: float, read_timeout: float
    ) -> None:
        self._server = server
        self._writer = writer
        self._clock = clock
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._longest = connect_timeout + read_timeout + SPARE_SECONDS
        self._under_way: set[asyncio.Timeout] = set()
        self._cut = False

    async def send(self, account: Account, request: AttemptRequest, permit: Permit) -> Answer:  # noqa: ARG002 - there is one account
        try:
            mail = write_mail(request, self._writer, self._clock.now())
        except Unsendable as error:
            return Refused(FailureClass.RECIPIENT, str(error))
        except UnicodeError:
            return Refused(FailureClass.BUG, "its text cannot be written in any encoding")
        exchange = _Exchange()
        try:
            async with asyncio.timeout(self._longest) as limit:
                self._under_way.add(limit)
                try:
                    return await self._exchange(mail, permit, exchange)
                finally:
                    self._under_way.discard(limit)
        except aiosmtplib.SMTPResponseException as error:
            if not exchange.handed_over:
                return _not_connected(error)
            return broken_exchange(f"an answer that is none: {readable(error.message)}", may_have_arrived=True)
        except (TimeoutError, aiosmtplib.SMTPException, OSError) as error:
            technical = None if exchange.handed_over else _technical(error)
            return technical or broken_exchange(self._reason(error, exchange), may_have_arrived=exchange.handed_over)

    async def look(self, _: Account) -> Device:
        """Whether the server lets us in now. Raises `Transient` when it cannot be told."""
        try:
            await self._server.knock()
        except aiosmtplib.SMTPResponseException as error:
            return _let_in_not(_not_connected(error))
        except (TimeoutError, aiosmtplib.SMTPException, OSError) as error:
            technical = _technical(error)
            if technical is None:
                raise Transient(self._reason(error, _Exchange())) from error
            return _let_in_not(technical)
        return Device(connected=True)

    def cut(self) -> None:
        self._cut = True
        now = asyncio.get_running_loop().time()
        for limit in self._under_way:
            with contextlib.suppress(RuntimeError):  # it is just ending by itself
                limit.reschedule(now)

    async def _exchange(self, mail: Mail, permit: Permit, exchange: _Exchange) -> Answer:
        async with self._server.connected() as client:
            exchange.connected = True
            await permit()
            for step, command in zip(STEPS, _commands(mail), strict=True):
                reply = await client.execute_command(*command)
                if reply.code != GO_ON if step is Step.DATA else not 200 <= reply.code < 300:
                    return refusal(step, reply.code, reply.message)
            protocol = client.protocol
            if protocol is None:
                raise aiosmtplib.SMTPServerDisconnected("the connection was lost")
            protocol.write(_stuffed(mail.content))
            exchange.handed_over = True
            code, text = await protocol.read_response(timeout=self._read_timeout)
            return verdict(code, text, mail.identity)

    def _reason(self, error: Exception, exchange: _Exchange) -> str:
        if self._cut:
            return "stopped while waiting for the answer"
        if isinstance(error, TimeoutError):
            waited = self._read_timeout if exchange.connected else self._connect_timeout
            return f"no {'answer' if exchange.connected else 'connection'} in {waited:g} s"
        return readable(f"{type(error).__name__}: {error}".rstrip(": "))


def _commands(mail: Mail) -> Sequence[tuple[bytes, ...]]:
    return (b"MAIL", f"FROM:<{mail.sender}>".encode()), (b"RCPT", f"TO:<{mail.recipient}>".encode()), (b"DATA",)


def _stuffed(content: bytes) -> bytes:
    """RFC 5321, 4.5.2: a line that begins with a dot gets another one, and a dot alone is the end."""
    return content.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _not_connected(error: aiosmtplib.SMTPResponseException) -> Refused:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return refusal(Step.LOGIN, error.code, error.message)
    return Refused(FailureClass.TRANSPORT, f"greeting: {error.code} {readable(error.message)}")


def _let_in_not(refused: Refused) -> Device:
    """One that is busy may let us in the next time: only a refusal for good says that we are not connected."""
    return Device(connected=False if refused.failure is FailureClass.AUTH else None, refused=refused)


def _technical(error: BaseException) -> Refused | None:
    """What no other try mends and no recipient is to blame for: it wants an operator."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, ssl.SSLCertVerificationError):
            return Refused(FailureClass.AUTH, f"the server's certificate is not trusted: {at.verify_message}")
        if isinstance(at, ssl.SSLError):
            why = "port 465 speaks TLS at once (MAIL_ENCRYPTION=tls), port 587 after STARTTLS (starttls)"
            return Refused(FailureClass.AUTH, f"TLS could not begin ({at.reason}); {why}")
        at = at.__cause__
    if type(error) is aiosmtplib.SMTPException:  # the server offers no STARTTLS, or no login
        return Refused(FailureClass.AUTH, readable(str(error)))
    return None
