"""The gate, as a gateway sees it."""

from datetime import datetime

from common.mongo.connection import UNAVAILABLE
from common.mongo.gate import MongoGate


class MongoSlots:
    """Dates grants of `senders` later. While MongoDB is away it cannot, so nothing late is called."""

    def __init__(self, gate: MongoGate) -> None:
        self._gate = gate

    async def move(
        self, sender: str, *, slot: datetime, gap: float, to: datetime, behind: float = 0.0
    ) -> datetime | None:
        try:
            return await self._gate.move(sender, slot=slot, gap=gap, to=to, behind=behind)
        except UNAVAILABLE:
            return None

    async def date(self, sender: str, *, slot: datetime, to: datetime) -> bool:
        try:
            return await self._gate.date(sender, slot=slot, to=to)
        except UNAVAILABLE:
            return False
