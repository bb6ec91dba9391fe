"""Questions to providers, put on RabbitMQ for their gateways."""

from collections.abc import Sequence
from datetime import datetime

from common.contracts.events import EnquiriesRequested
from common.messaging.broker import Broker
from common.topology.declarations import ATTEMPTS


class RabbitEnquiries:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def devices(self, provider: str, senders: Sequence[str], deadline: datetime) -> None:
        asked = EnquiriesRequested(provider=provider, deadline=deadline, devices_of=list(senders))
        await self._broker.publish(ATTEMPTS, asked)
