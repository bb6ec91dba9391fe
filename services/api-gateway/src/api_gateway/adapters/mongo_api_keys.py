"""API keys in MongoDB."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from api_gateway.adapters.grouped import DOUBTFUL_SECONDS, persistently
from api_gateway.domain.api_key import ApiKey
from common.mongo.connection import Document, Mongo, within

LOOK_SECONDS = 3.0


class MongoApiKeys:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._keys = mongo["api_keys"]

    async def usable(self, now: datetime) -> list[ApiKey]:
        query = {"revoked_at": None, "$or": [{"expires_at": None}, {"expires_at": {"$gt": now}}]}
        with within(LOOK_SECONDS if self._mongo.ready else DOUBTFUL_SECONDS):
            return [_key(document) async for document in self._keys.find(query)]

    async def keep(self, key: ApiKey) -> None:
        document = asdict(key)
        document["_id"] = document.pop("id")
        await persistently(lambda: self._keys.replace_one({"_id": key.id}, document, upsert=True), self._mongo)

    async def get(self, key_id: str) -> ApiKey | None:
        found = await self._keys.find_one({"_id": key_id})
        return None if found is None else _key(found)

    async def page(self, before: str | None, limit: int) -> list[ApiKey]:
        query: Document = {} if before is None else {"_id": {"$lt": before}}
        return [_key(document) async for document in self._keys.find(query).sort("_id", -1).limit(limit)]

    async def revoke(self, key_id: str, at: datetime) -> None:
        revoked = {"$set": {"revoked_at": at}}
        await persistently(lambda: self._keys.update_one({"_id": key_id, "revoked_at": None}, revoked), self._mongo)

    async def note_used(self, ids: Sequence[str], at: datetime) -> None:
        await self._keys.update_many({"_id": {"$in": list(ids)}}, {"$max": {"last_used_at": at}})


def _key(document: Document) -> ApiKey:
    fields = {name: value for name, value in document.items() if name != "_id"}
    return ApiKey(id=document["_id"], **(fields | {"scopes": tuple(document["scopes"])}))
