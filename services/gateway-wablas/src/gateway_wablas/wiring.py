"""The only file that knows what the service is made of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common.runtime.process import Application, Surroundings
from gateway.wiring import http_gateway
from gateway_wablas.domain.dialect import MAX_TEXT_CHARS, WablasDialect
from gateway_wablas.domain.enquiries import WablasEnquiries
from gateway_wablas.domain.webhooks import WablasWebhooks
from gateway_wablas.settings import WablasSettings


@asynccontextmanager
async def wire(settings: WablasSettings, surroundings: Surroundings) -> AsyncIterator[Application]:
    """The gateway every provider has, speaking Wablas' dialect."""
    enquiries, webhooks = WablasEnquiries(settings.server), WablasWebhooks()
    dialect = WablasDialect(settings.send_address)
    async with http_gateway(
        settings, surroundings, dialect, enquiries=enquiries, webhooks=webhooks, max_text_chars=MAX_TEXT_CHARS
    ) as application:
        yield application
