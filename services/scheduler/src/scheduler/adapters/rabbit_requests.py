"""Requests for notifications, put on the bus as any other service does."""

from collections.abc import Sequence

from common.contracts.facts import NotificationRequested
from common.messaging.broker import Broker
from common.topology.declarations import EVENTS


class RabbitRequests:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def __call__(self, requests: Sequence[NotificationRequested]) -> None:
        await self._broker.publish_many(EVENTS, requests)
