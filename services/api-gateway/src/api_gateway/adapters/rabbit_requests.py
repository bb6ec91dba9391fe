"""Requests back onto the bus."""

from api_gateway.application.accept_request import EarlyRequest
from common.contracts.facts import NotificationRequested
from common.messaging.broker import Broker
from common.topology.declarations import EVENTS


class RabbitRequests:
    """Publishes a request that came too early once more, as it came."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def __call__(self, request: EarlyRequest) -> None:
        await self._broker.publish(EVENTS, NotificationRequested.model_validate_json(request.body))
