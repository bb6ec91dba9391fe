"""Requests back onto the bus."""

from api_gateway.application.accept_request import EarlyRequest
from common.contracts.facts import NotificationRequested
from common.messaging.broker import Broker, RawEvent
from common.topology.declarations import EVENTS, REPLAY_HEADER


class RabbitRequests:
    """Publishes a request that came too early once more, as it came."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def __call__(self, request: EarlyRequest) -> None:
        headers = {} if request.replay is None else {REPLAY_HEADER: request.replay}
        raw = RawEvent(request.body.encode(), headers, NotificationRequested.routing_key)
        await self._broker.publish_raw(EVENTS, raw, message_id=request.message_id)
