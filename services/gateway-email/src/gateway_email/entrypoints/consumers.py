"""What a mail server is asked besides taking mails."""

from collections.abc import Awaitable, Callable

from common.contracts.events import EnquiriesRequested
from common.messaging.broker import Envelope
from gateway.application.check_devices import CheckDevices


def on_enquiries_requested(check_devices: CheckDevices) -> Callable[[Envelope[EnquiriesRequested]], Awaitable[None]]:
    """The handler: whether the server lets us in. SMTP has no words for what became of a mail, and no groups."""

    async def handle(envelope: Envelope[EnquiriesRequested]) -> None:
        await check_devices(envelope.event)

    return handle
