"""WhatsApp groups in MongoDB."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from api_gateway.application.keep_groups import NameTaken
from api_gateway.application.sync_groups import AGAIN_IF_NOT_ASKED, ASKED, AT_MOST_EVERY, Lookup
from common.catalogue.definitions import GroupPurpose
from common.contracts.documents import GroupDocument
from common.mongo.connection import Document, DuplicateKeyError, Mongo, ReturnDocument


class MongoGroups:
    def __init__(self, mongo: Mongo) -> None:
        self._groups = mongo["groups"]

    async def of(self, purposes: Sequence[GroupPurpose]) -> list[Document]:
        if not purposes:
            return []
        query = {"purpose": {"$in": [purpose.value for purpose in purposes]}, "active": True}
        return await self._groups.find(query).sort("_id", 1).to_list(None)

    async def page(self, after: str | None, limit: int) -> list[GroupDocument]:
        query: Document = {} if after is None else {"_id": {"$gt": after}}
        return cast("list[GroupDocument]", await self._groups.find(query).sort("_id", 1).limit(limit).to_list(limit))

    async def get(self, group_id: str) -> GroupDocument | None:
        return cast("GroupDocument | None", await self._groups.find_one({"_id": group_id}))

    async def add(self, group: GroupDocument) -> bool:
        try:
            await self._groups.insert_one(cast("Document", group))
        except DuplicateKeyError:  # by its own identity when the request came again
            return await self._groups.find_one({"_id": group["_id"]}, {"_id": 1}) is not None
        return True

    async def change(self, group_id: str, fields: Mapping[str, Any]) -> GroupDocument | None:
        try:
            changed = await self._groups.find_one_and_update(
                {"_id": group_id}, {"$set": dict(fields)}, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError as error:
            raise NameTaken from error
        return cast("GroupDocument | None", changed)

    async def remove(self, group_id: str) -> None:
        await self._groups.delete_one({"_id": group_id})


class MongoGroupLookups:
    """`_id` is the sender; one that began too lately does not match, and then its identity is taken. Its gateway notes
    `put_at` right before it asks the provider.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._lookups = mongo["group_lookups"]

    async def begin(self, sender: str, now: datetime) -> datetime | None:
        asked = {"asked_at": now, "state": ASKED, "error": None, "found": 0, "put_at": None}
        over = [
            {"asked_at": {"$lte": now - AT_MOST_EVERY}},
            {"asked_at": {"$lte": now - AGAIN_IF_NOT_ASKED}, "state": ASKED, "put_at": None},
        ]
        try:
            await self._lookups.update_one({"_id": sender, "$or": over}, {"$set": asked}, upsert=True)
        except DuplicateKeyError:
            found = await self._lookups.find_one({"_id": sender})
            return now if found is None else _again_at(found)
        return None

    async def of(self, senders: Sequence[str]) -> list[Lookup]:
        found = self._lookups.find({"_id": {"$in": list(senders)}}).sort("_id", 1)
        return [Lookup(one["_id"], one["state"], one["found"], one["error"]) async for one in found]


def _again_at(lookup: Document) -> datetime:
    unasked = lookup["state"] == ASKED and lookup.get("put_at") is None
    return cast("datetime", lookup["asked_at"]) + (AGAIN_IF_NOT_ASKED if unasked else AT_MOST_EVERY)
