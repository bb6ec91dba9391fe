"""WhatsApp groups in MongoDB."""

from collections.abc import Sequence

from common.catalogue.definitions import GroupPurpose
from common.mongo.connection import Document, Mongo


class MongoGroups:
    def __init__(self, mongo: Mongo) -> None:
        self._groups = mongo["groups"]

    async def of(self, purposes: Sequence[GroupPurpose]) -> list[Document]:
        if not purposes:
            return []
        query = {"purpose": {"$in": [purpose.value for purpose in purposes]}, "active": True}
        return await self._groups.find(query).sort("_id", 1).to_list(None)
