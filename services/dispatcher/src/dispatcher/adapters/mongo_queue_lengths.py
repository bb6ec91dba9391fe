"""Lengths of the lanes in MongoDB."""

from datetime import datetime

from common.mongo.connection import Collection, Document


class MongoQueueLengths:
    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def by_rank(self) -> dict[int, tuple[int, datetime]]:
        """Answered by the index `lane_head` alone: it holds the lane, the rank and the age."""
        pipeline: list[Document] = [
            {"$match": {"lane": {"$gt": ""}}},
            {"$group": {"_id": "$rank", "count": {"$sum": 1}, "oldest": {"$min": "$queued_at"}}},
        ]
        cursor = self._collection.aggregate(pipeline)
        return {row["_id"]: (row["count"], row["oldest"]) async for row in cursor}
