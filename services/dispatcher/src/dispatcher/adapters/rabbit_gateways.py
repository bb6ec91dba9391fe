"""Gateways behind RabbitMQ."""

from common.contracts.events import AttemptsRequested, EnquiriesRequested
from common.messaging.broker import Broker
from common.topology.declarations import ATTEMPTS


class RabbitGateways:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def request(self, attempts: AttemptsRequested) -> None:
        await self._broker.publish(ATTEMPTS, attempts)

    async def enquire(self, enquiries: EnquiriesRequested) -> None:
        await self._broker.publish(ATTEMPTS, enquiries)

    @property
    def reachable(self) -> bool:
        return self._broker.connected
