"""What is looked at, in MongoDB; every query is small and answered by an index."""

from datetime import datetime, timedelta
from typing import cast

from common.contracts.documents import SenderDocument
from common.contracts.vocabulary import RunStatus
from common.mongo.connection import Document, Mongo
from scheduler.domain.findings import Observed, Thresholds

AN_HOUR = timedelta(hours=1)
DEAD_INDEX, PARKED_INDEX = "dead", "by_time"


class MongoObservations:
    def __init__(self, mongo: Mongo) -> None:
        self._senders = mongo["senders"]
        self._deliveries = mongo["deliveries"]
        self._parked = mongo["parked_envelopes"]
        self._runs = mongo["job_runs"]

    async def all(self) -> list[SenderDocument]:
        """Every sender a gateway ever registered, without its gate."""
        cursor = self._senders.find({"gateway_seen_at": {"$exists": True}}, {"gate": 0}).sort("_id", 1)
        return cast("list[SenderDocument]", await cursor.to_list(None))

    async def look(self, thresholds: Thresholds, now: datetime) -> Observed:
        since = {"$gt": now - AN_HOUR}
        return Observed(
            senders=tuple(await self.all()),
            dead=await self.dead({"dead_at": since}, thresholds.dead_an_hour),
            parked=await self.parked({"parked_at": since}, thresholds.parked_an_hour),
        )

    async def running(self) -> set[str]:
        return set(await self._runs.distinct("job", {"status": RunStatus.RUNNING.value}))

    async def dead(self, query: Document, most: int) -> int:
        """Counted no further than is needed to say that they are too many."""
        return await self._deliveries.count_documents(query, limit=most + 1, hint=DEAD_INDEX) if most else 0

    async def parked(self, query: Document, most: int) -> int:
        waiting: Document = {"replayed_at": {"$exists": False}, "discarded_at": {"$exists": False}}
        return (
            await self._parked.count_documents({**query, **waiting}, limit=most + 1, hint=PARKED_INDEX) if most else 0
        )
