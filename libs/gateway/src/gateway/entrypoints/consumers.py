"""What a gateway listens to."""

from collections.abc import Awaitable, Callable

from common.contracts.events import AttemptsRequested
from common.messaging.broker import Envelope
from gateway.application.make_attempts import MakeAttempts


def on_attempts_requested(make_attempts: MakeAttempts) -> Callable[[Envelope[AttemptsRequested]], Awaitable[None]]:
    """The handler of the provider's queue of attempts."""

    async def handle(envelope: Envelope[AttemptsRequested]) -> None:
        await make_attempts(envelope.event, redelivered=envelope.redelivered)

    return handle
