"""Subscribers behind RabbitMQ."""

from collections.abc import Sequence

from common.contracts.event import Event
from common.messaging.broker import Broker
from common.topology.declarations import EVENTS


class RabbitSubscribers:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @property
    def reachable(self) -> bool:
        return self._broker.connected

    async def tell(self, events: Sequence[Event]) -> None:
        await self._broker.publish_many(EVENTS, events)
