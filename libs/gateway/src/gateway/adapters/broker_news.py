"""What a provider tells us, on RabbitMQ."""

from common.contracts.events import MessageReceived, SenderReported, WebhooksReceived
from common.messaging.broker import Broker
from common.topology.declarations import ATTEMPTS, EVENTS


class BrokerNews:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def reported(self, news: SenderReported) -> None:
        await self._broker.publish(ATTEMPTS, news)

    async def received(self, message: MessageReceived) -> None:
        await self._broker.publish(EVENTS, message)

    async def handed_back(self, webhooks: WebhooksReceived) -> None:
        await self._broker.publish(ATTEMPTS, webhooks)
