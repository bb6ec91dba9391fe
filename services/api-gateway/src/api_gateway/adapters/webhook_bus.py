"""Webhooks on RabbitMQ."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from common.contracts.events import Webhook, WebhooksReceived
from common.kernel.failures import Transient
from common.messaging.broker import Broker
from common.messaging.coalesced import Coalesced
from common.topology.declarations import ATTEMPTS

CONFIRM_SECONDS = 2.0
"""A provider waits for our answer; what takes longer is kept instead."""
WEBHOOKS_AT_ONCE = 200
ENVELOPE_CHARACTERS = 500_000
"""A webhook may be large; an envelope holds several only up to here."""


class RabbitWebhooks:
    """What comes while an envelope is on its way goes together in the next; `run` sends them. Each provider has a line
    of its own, so that a queue that takes nothing holds up no other.
    """

    def __init__(self, broker: Broker, providers: Iterable[str]) -> None:
        self._broker = broker
        self._lines: dict[str, Coalesced[Webhook]] = {
            provider: Coalesced(partial(self._send, provider), limit=WEBHOOKS_AT_ONCE, once=True)
            for provider in providers
        }

    @property
    def connected(self) -> bool:
        return self._broker.connected

    async def publish(self, provider: str, webhook: Webhook) -> None:
        await self._lines[provider].put(webhook)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for line in self._lines.values():
                group.create_task(line.run())

    async def _send(self, provider: str, webhooks: Sequence[Webhook]) -> None:
        if not self._broker.connected:
            raise Transient("RabbitMQ is away")
        envelopes = [WebhooksReceived(provider=provider, webhooks=some) for some in _envelopes(webhooks)]
        await self._broker.publish_many(ATTEMPTS, envelopes, timeout=CONFIRM_SECONDS)


def _envelopes(webhooks: Sequence[Webhook]) -> Iterator[list[Webhook]]:
    together: list[Webhook] = []
    characters = 0
    for webhook in webhooks:
        characters += len(webhook.body)
        if together and characters > ENVELOPE_CHARACTERS:
            yield together
            together, characters = [], len(webhook.body)
        together.append(webhook)
    yield together
