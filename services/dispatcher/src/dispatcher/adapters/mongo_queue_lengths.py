"""Lengths of the lanes in MongoDB."""

from datetime import datetime

from common.contracts.vocabulary import MAIL_PROVIDER, Channel
from common.mongo.connection import Collection, Document


class MongoQueueLengths:
    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def by_channel_and_rank(self) -> dict[tuple[Channel, int], tuple[int, datetime]]:
        """Answered by the index `lane_head` alone: it holds the lane, the rank and the age."""
        pipeline: list[Document] = [
            {"$match": {"lane": {"$gt": ""}}},
            {
                "$group": {
                    "_id": {"mail": {"$eq": ["$lane", MAIL_PROVIDER]}, "rank": "$rank"},
                    "count": {"$sum": 1},
                    "oldest": {"$min": "$queued_at"},
                }
            },
        ]
        lengths: dict[tuple[Channel, int], tuple[int, datetime]] = {}
        async for row in self._collection.aggregate(pipeline):
            channel = Channel.EMAIL if row["_id"]["mail"] else Channel.WHATSAPP
            lengths[channel, row["_id"]["rank"]] = row["count"], row["oldest"]
        return lengths
