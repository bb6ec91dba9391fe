"""What a gateway listens to."""

from collections.abc import Awaitable, Callable

from common.contracts.events import AttemptsRequested, EnquiriesRequested, WebhooksReceived
from common.messaging.broker import Envelope
from gateway.application.check_devices import CheckDevices
from gateway.application.find_groups import FindGroups
from gateway.application.make_attempts import MakeAttempts
from gateway.application.prove_attempts import ProveAttempts
from gateway.application.read_webhooks import ReadWebhooks


def on_attempts_requested(make_attempts: MakeAttempts) -> Callable[[Envelope[AttemptsRequested]], Awaitable[None]]:
    """The handler of the provider's queue of attempts."""

    async def handle(envelope: Envelope[AttemptsRequested]) -> None:
        await make_attempts(envelope.event, redelivered=envelope.redelivered)

    return handle


def on_webhooks_received(read: ReadWebhooks) -> Callable[[Envelope[WebhooksReceived]], Awaitable[None]]:
    """The handler of the queue of what the provider posts."""

    async def handle(envelope: Envelope[WebhooksReceived]) -> None:
        await read(envelope.event)

    return handle


def on_enquiries_requested(
    prove: ProveAttempts, find_groups: FindGroups, check_devices: CheckDevices
) -> Callable[[Envelope[EnquiriesRequested]], Awaitable[None]]:
    """The handler of the queue of what the provider is to be asked."""

    async def handle(envelope: Envelope[EnquiriesRequested]) -> None:
        await prove(envelope.event)
        await find_groups(envelope.event)
        await check_devices(envelope.event)

    return handle
