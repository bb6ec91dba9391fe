"""Webhooks on RabbitMQ."""

from common.contracts.events import WebhookReceived
from common.messaging.broker import Broker
from common.topology.declarations import ATTEMPTS

CONFIRM_SECONDS = 2.0
"""A provider waits for our answer; what takes longer is kept instead."""


class RabbitWebhooks:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @property
    def connected(self) -> bool:
        return self._broker.connected

    async def publish(self, webhook: WebhookReceived) -> None:
        await self._broker.publish(ATTEMPTS, webhook, timeout=CONFIRM_SECONDS)
