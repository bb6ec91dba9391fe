"""Webhooks on RabbitMQ."""

from collections.abc import Iterator, Sequence

from common.contracts.events import Webhook, WebhooksReceived
from common.messaging.broker import Broker
from common.messaging.coalesced import Coalesced
from common.topology.declarations import ATTEMPTS

CONFIRM_SECONDS = 2.0
"""A provider waits for our answer; what takes longer is kept instead."""
WEBHOOKS_AT_ONCE = 200
ENVELOPE_CHARACTERS = 500_000
"""A webhook may be large; an envelope holds several only up to here."""

Posted = tuple[str, Webhook]
"""A webhook, after the provider that posted it."""


class RabbitWebhooks:
    """What comes while an envelope is on its way goes together in the next; `run` sends them."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._coalesced: Coalesced[Posted] = Coalesced(self._send, limit=WEBHOOKS_AT_ONCE, once=True)
        self.run = self._coalesced.run

    @property
    def connected(self) -> bool:
        return self._broker.connected

    async def publish(self, provider: str, webhook: Webhook) -> None:
        await self._coalesced.put((provider, webhook))

    async def _send(self, posted: Sequence[Posted]) -> None:
        await self._broker.publish_many(ATTEMPTS, list(_envelopes(posted)), timeout=CONFIRM_SECONDS)


def _envelopes(posted: Sequence[Posted]) -> Iterator[WebhooksReceived]:
    for provider in dict.fromkeys(provider for provider, _ in posted):
        together: list[Webhook] = []
        characters = 0
        for webhook in (one for of, one in posted if of == provider):
            characters += len(webhook.body)
            if together and characters > ENVELOPE_CHARACTERS:
                yield WebhooksReceived(provider=provider, webhooks=together)
                together, characters = [], len(webhook.body)
            together.append(webhook)
        yield WebhooksReceived(provider=provider, webhooks=together)
