"""Requests back onto the bus."""

from api_gateway.application.accept_request import EarlyRequest
from common.contracts.facts import NotificationRequested
from common.messaging.broker import Broker, RawEvent
from common.topology.declarations import EVENTS, REPLAY_HEADER, TRACE_HEADER


class RabbitRequests:
    """Publishes a request that came too early once more, as it came."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def __call__(self, request: EarlyRequest) -> None:
        told = {REPLAY_HEADER: request.replay, TRACE_HEADER: request.traceparent}
        headers = {name: value for name, value in told.items() if value is not None}
        raw = RawEvent(request.body.encode(), headers, NotificationRequested.routing_key)
        await self._broker.publish_raw(EVENTS, raw, message_id=request.message_id)
