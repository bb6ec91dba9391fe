"""What went out when, counted in MongoDB from an index alone."""

from collections.abc import Mapping
from datetime import datetime

from common.mongo.connection import Document, Mongo


class MongoSends:
    def __init__(self, mongo: Mongo) -> None:
        self._deliveries = mongo["deliveries"]

    async def by_minute(self, since: datetime) -> Mapping[datetime, int]:
        rows = self._deliveries.aggregate(by_minute(since), hint="by_sending")
        return {row["_id"]: row["count"] async for row in rows}


def by_minute(since: datetime) -> list[Document]:
    return [
        {"$match": {"sent_at": {"$gte": since}}},
        {"$group": {"_id": {"$dateTrunc": {"date": "$sent_at", "unit": "minute"}}, "count": {"$sum": 1}}},
    ]
