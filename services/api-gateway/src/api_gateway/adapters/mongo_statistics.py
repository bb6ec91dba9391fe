"""Deliveries of a span of time counted in MongoDB, from an index alone."""

from datetime import datetime

from api_gateway.domain.statistics import Tally
from common.mongo.connection import Document, Mongo

FIELDS = ("type", "status", "channel", "sent_by", "failover")


class MongoStatistics:
    def __init__(self, mongo: Mongo) -> None:
        self._deliveries = mongo["deliveries"]

    async def since(self, moment: datetime) -> list[Tally]:
        rows = self._deliveries.aggregate(tallies(moment), hint="statistics")
        return [
            Tally(
                row["_id"]["type"],
                row["_id"]["status"],
                row["_id"]["channel"],
                row["_id"].get("sent_by"),
                bool(row["_id"].get("failover")),
                row["count"],
            )
            async for row in rows
        ]


def tallies(moment: datetime) -> list[Document]:
    """Deliveries accepted since a moment, by what they have in common."""
    return [
        {"$match": {"accepted_at": {"$gte": moment}}},
        {"$group": {"_id": {name: f"${name}" for name in FIELDS}, "count": {"$sum": 1}}},
    ]
