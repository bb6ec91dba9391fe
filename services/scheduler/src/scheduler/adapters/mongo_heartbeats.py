"""Heartbeats in MongoDB, dated by the server: nobody has to trust an instance's clock."""

from common.mongo.connection import Collection


class MongoHeartbeats:
    """`heartbeats`: `_id` is the instance, with its `service` and when it was last seen (`seen_at`)."""

    def __init__(self, collection: Collection, *, instance: str, service: str) -> None:
        self._collection = collection
        self._instance = instance
        self._service = service

    async def beat(self) -> None:
        await self._collection.update_one(
            {"_id": self._instance},
            {"$set": {"service": self._service}, "$currentDate": {"seen_at": True}},
            upsert=True,
        )
