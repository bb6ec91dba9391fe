"""The only file that knows what the service is made of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common.runtime.process import Application, Surroundings
from gateway.wiring import http_gateway
from gateway_fonnte.domain.dialect import MAX_TEXT_CHARS, FonnteDialect
from gateway_fonnte.domain.enquiries import FonnteEnquiries
from gateway_fonnte.domain.webhooks import FonnteWebhooks
from gateway_fonnte.settings import FonnteSettings


@asynccontextmanager
async def wire(settings: FonnteSettings, surroundings: Surroundings) -> AsyncIterator[Application]:
    """The gateway every provider has, speaking Fonnte's dialect."""
    enquiries, webhooks = FonnteEnquiries(settings.send_address), FonnteWebhooks()
    dialect = FonnteDialect(settings.send_address)
    async with http_gateway(
        settings, surroundings, dialect, enquiries=enquiries, webhooks=webhooks, max_text_chars=MAX_TEXT_CHARS
    ) as application:
        yield application
