"""Questions to providers, put on RabbitMQ for their gateways."""

from collections.abc import Sequence
from datetime import datetime

from api_gateway.domain.refusals import unavailable
from common.contracts.events import EnquiriesRequested
from common.kernel.failures import Transient
from common.messaging.broker import Broker
from common.topology.declarations import ATTEMPTS

CONFIRM_SECONDS = 3.0


class RabbitEnquiries:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def groups(self, provider: str, senders: Sequence[str], deadline: datetime) -> None:
        await self._ask(EnquiriesRequested(provider=provider, deadline=deadline, groups_of=list(senders)))

    async def device(self, provider: str, sender: str, deadline: datetime) -> None:
        await self._ask(EnquiriesRequested(provider=provider, deadline=deadline, devices_of=[sender]))

    async def _ask(self, asked: EnquiriesRequested) -> None:
        try:
            await self._broker.publish(ATTEMPTS, asked, timeout=CONFIRM_SECONDS)
        except Transient as error:
            raise unavailable("RabbitMQ does not answer; ask again in a moment") from error
