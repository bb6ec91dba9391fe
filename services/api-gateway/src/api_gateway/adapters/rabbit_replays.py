"""Envelopes handed in again over RabbitMQ."""

from api_gateway.application.replay_envelopes import ParkedEnvelope
from common.messaging.broker import Broker, RawEvent
from common.topology.declarations import EXCHANGES, REPLAY_HEADER, REPLAY_MARK, TRACE_HEADER


class RabbitReplays:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def known(self, exchange: str) -> bool:
        return exchange in {one.name for one in EXCHANGES}

    async def publish(self, envelope: ParkedEnvelope) -> None:
        """It keeps its message id and its trace, and says the how manieth replay it is: parked again it is another
        envelope.
        """
        exchange = next(one for one in EXCHANGES if one.name == envelope.exchange)
        message_id, _, before = envelope.id.removeprefix(f"{envelope.queue}:").partition(REPLAY_MARK)
        replay = f"{before}.{envelope.replays + 1}" if before else str(envelope.replays + 1)
        trace = {TRACE_HEADER: envelope.traceparent} if envelope.traceparent else {}
        raw = RawEvent(envelope.body.encode(), {REPLAY_HEADER: replay, **trace}, envelope.routing_key)
        await self._broker.publish_raw(exchange, raw, message_id=message_id)
