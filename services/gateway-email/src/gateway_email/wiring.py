"""The only file that knows what the service is made of."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from common.mongo.server_clock import ServerClock
from common.runtime.process import Application, Surroundings
from common.runtime.secrets import following
from common.telemetry.logs import logger
from gateway.adapters.broker_news import BrokerNews
from gateway.adapters.mongo_devices import MongoDevices
from gateway.application.check_devices import CheckDevices
from gateway.domain.account import by_sender
from gateway.wiring import gateway, hear_enquiries
from gateway_email.adapters.mail_server import Address, MailServer
from gateway_email.adapters.smtp_provider import SmtpProvider
from gateway_email.domain.mail import Writer
from gateway_email.entrypoints.consumers import on_enquiries_requested
from gateway_email.settings import Encryption, Settings

MAX_TEXT_CHARS = 100_000
CONNECTIONS_AT_ONCE = 10
log = logger()


@asynccontextmanager
async def wire(settings: Settings, surroundings: Surroundings) -> AsyncIterator[Application]:
    """The gateway every provider has, speaking SMTP."""
    if settings.host is None:
        log.warning("mail.off", reason="MAIL_HOST is not set: no sender is registered and no e-mail is sent")
    clock = ServerClock(surroundings.mongo.time)
    writer = Writer(settings.from_address or "", settings.from_name)
    timeouts = {"connect_timeout": settings.connect_timeout, "read_timeout": settings.read_timeout}
    server = MailServer(_address(settings, writer), **timeouts)

    def renew(changed: Settings) -> None:
        server.address = _address(changed, writer)

    provider = SmtpProvider(server, writer, clock, **timeouts)
    try:
        accounts = by_sender(settings.accounts())
        application = gateway(
            settings,
            surroundings,
            accounts,
            provider,
            clock,
            max_text_chars=MAX_TEXT_CHARS,
            calls_at_once=CONNECTIONS_AT_ONCE,
        )
        check = CheckDevices(
            accounts,
            look=provider.look,
            devices=MongoDevices(surroundings.mongo["senders"]),
            news=BrokerNews(surroundings.broker),
            clock=clock,
        )
        hear_enquiries(settings, surroundings, on_enquiries_requested(check))
        application.loops += following(settings, renew, surroundings.registry)
        yield application
    finally:
        await server.close()


def _address(settings: Settings, writer: Writer) -> Address:
    return Address(
        host=settings.host or "",
        port=settings.server_port,
        tls=None if settings.encryption is Encryption.NONE else ssl.create_default_context(),
        tls_at_once=settings.encryption is Encryption.TLS,
        username=_plain(settings.username),
        password=_plain(settings.password),
        our_name=writer.domain or "localhost",
    )


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
