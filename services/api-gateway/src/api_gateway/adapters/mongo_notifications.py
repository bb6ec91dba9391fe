"""Notifications in MongoDB."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import cast

from api_gateway.adapters.grouped import Grouped, persistently
from common.contracts.documents import AudienceMember, NotificationDocument
from common.contracts.vocabulary import NotificationStatus
from common.kernel.failures import Transient
from common.mongo.connection import DUPLICATE_KEY, BulkWriteError, Collection, Document, InsertOne, Mongo

SMALL_AUDIENCE = 20
"""Up to so many recipients an insert is cheap enough to share its write with others."""
PAGES_AT_ONCE = 10


class MongoNotifications:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._notifications = mongo["notifications"]
        self._pages = mongo["audience_pages"]
        self._deliveries = mongo["deliveries"]
        self.inserts: Grouped[Document, None] = Grouped(self._insert, mongo)

    async def accept(self, notification: NotificationDocument, pages: Sequence[Sequence[AudienceMember]]) -> None:
        identity, created_at = notification["_id"], notification["created_at"]
        for at in range(0, len(pages), PAGES_AT_ONCE):
            documents: list[Document] = [
                {
                    "_id": f"{identity}:{number}",
                    "notification_id": identity,
                    "members": list(members),
                    "created_at": created_at,
                }
                for number, members in enumerate(pages[at : at + PAGES_AT_ONCE], start=at)
            ]
            await persistently(partial(insert_once, self._pages, documents), self._mongo)
        document = cast("Document", notification)
        if len(notification["audience"]) <= SMALL_AUDIENCE:
            await self.inserts.put(document)
        else:
            await persistently(partial(insert_once, self._notifications, [document]), self._mongo)

    async def get(self, notification_id: str) -> NotificationDocument | None:
        found = await self._notifications.find_one({"_id": notification_id}, {"audience": 0, "data": 0, "message": 0})
        return cast("NotificationDocument | None", found)

    async def cancel(self, notification_id: str, *, sweep_at: datetime) -> None:
        await self._notifications.update_one(
            {"_id": notification_id}, {"$set": {"status": NotificationStatus.CANCELLED, "wake_at": sweep_at}}
        )

    async def progress(self, notification_id: str) -> dict[str, int]:
        return {row["_id"]: row["count"] async for row in self._deliveries.aggregate(progress(notification_id))}

    async def to_many(self, before: datetime | None, limit: int) -> list[NotificationDocument]:
        found = self._notifications.find(to_many(before), {"audience": 0, "data": 0, "message": 0})
        page = found.sort("created_at", -1).limit(limit).hint("to_many")
        return cast("list[NotificationDocument]", await page.to_list(limit))

    async def progress_of(self, ids: Sequence[str]) -> Mapping[str, dict[str, int]]:
        counted: dict[str, dict[str, int]] = {}
        async for row in self._deliveries.aggregate(progress_of(ids), hint="progress"):
            counted.setdefault(row["_id"]["of"], {})[row["_id"]["status"]] = row["count"]
        return counted

    async def _insert(self, documents: Sequence[Document]) -> Sequence[None]:
        await insert_once(self._notifications, documents)
        return [None] * len(documents)


def progress(notification_id: str) -> list[Document]:
    """Counts by status, from the index alone."""
    return [
        {"$match": {"notification_id": notification_id}},
        {"$group": {"_id": "$status", "count": {"$sum": 1}}},
    ]


def progress_of(ids: Sequence[str]) -> list[Document]:
    """The same of several, from the same index."""
    return [
        {"$match": {"notification_id": {"$in": list(ids)}}},
        {"$group": {"_id": {"of": "$notification_id", "status": "$status"}, "count": {"$sum": 1}}},
    ]


def to_many(before: datetime | None) -> Document:
    many: Document = {"recipients": {"$gt": 1}}
    return many if before is None else {**many, "created_at": {"$lt": before}}


async def insert_once(collection: Collection, documents: Sequence[Document]) -> list[str]:
    """Insert documents that may be there already; the identities of those that were."""
    try:
        await collection.bulk_write([InsertOne(document) for document in documents], ordered=False)
    except BulkWriteError as error:
        if error.timeout or error.details.get("writeConcernErrors"):
            raise Transient("the majority did not confirm an insert in time") from error
        found: list[Document] = error.details.get("writeErrors", [])
        if any(one["code"] != DUPLICATE_KEY for one in found):
            raise
        return [one["op"]["_id"] for one in found]
    return []
