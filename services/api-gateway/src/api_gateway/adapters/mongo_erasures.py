"""Erasures in MongoDB, as people ask for them and look at them."""

from functools import partial
from typing import cast

from api_gateway.adapters.grouped import persistently
from api_gateway.adapters.mongo_notifications import insert_once
from common.contracts.documents import ErasureDocument
from common.mongo.connection import Document, Mongo

_OURS = {"wanted": 0, "person": 0}
"""Whom it is about is for whoever carries it out."""


class MongoErasures:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._erasures = mongo["erasures"]

    async def add(self, erasure: ErasureDocument) -> None:
        await persistently(partial(insert_once, self._erasures, [cast("Document", erasure)]), self._mongo)

    async def get(self, erasure_id: str) -> ErasureDocument | None:
        return cast("ErasureDocument | None", await self._erasures.find_one({"_id": erasure_id}, _OURS))

    async def page(self, before: str | None, limit: int) -> list[ErasureDocument]:
        query: Document = {} if before is None else {"_id": {"$lt": before}}
        cursor = self._erasures.find(query, _OURS).sort("_id", -1).limit(limit)
        return cast("list[ErasureDocument]", await cursor.to_list(limit))
