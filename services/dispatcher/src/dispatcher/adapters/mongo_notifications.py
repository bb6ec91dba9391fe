"""Notifications in MongoDB."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from common.contracts.documents import AudienceMember, NotificationDocument
from common.contracts.vocabulary import NotificationStatus
from common.mongo.connection import Mongo


class MongoNotifications:
    def __init__(self, mongo: Mongo) -> None:
        self._notifications = mongo["notifications"]
        self._pages = mongo["audience_pages"]

    async def accepted(self, ids: Sequence[str]) -> list[NotificationDocument]:
        cursor = self._notifications.find({"_id": {"$in": list(ids)}, "status": NotificationStatus.ACCEPTED})
        return cast("list[NotificationDocument]", await cursor.to_list(None))

    async def overdue(self, now: datetime, limit: int) -> list[str]:
        cursor = self._notifications.find({"wake_at": {"$lte": now}}, {"_id": 1}).sort("wake_at", 1).limit(limit)
        return [document["_id"] async for document in cursor]

    async def page(self, notification: NotificationDocument, number: int) -> list[AudienceMember]:
        page = await self._pages.find_one({"_id": f"{notification['_id']}:{number}"})
        if page is None:
            raise LookupError(f"audience page {number} of {notification['_id']} is gone")
        return cast("list[AudienceMember]", page["members"])

    async def page_planned(self, notification_id: str, pages: int, wake_at: datetime) -> bool:
        result = await self._notifications.update_one(
            {"_id": notification_id, "status": NotificationStatus.ACCEPTED},
            {"$max": {"planned_pages": pages}, "$set": {"wake_at": wake_at}},
        )
        return result.matched_count == 1

    async def planned(self, ids: Sequence[str]) -> list[str]:
        result = await self._notifications.update_many(
            {"_id": {"$in": list(ids)}, "status": NotificationStatus.ACCEPTED},
            {"$set": {"status": NotificationStatus.PLANNED}, "$unset": {"wake_at": ""}},
        )
        if result.modified_count == len(ids):
            return []
        cursor = self._notifications.find(
            {"_id": {"$in": list(ids)}, "status": NotificationStatus.CANCELLED}, {"_id": 1}
        )
        return [document["_id"] async for document in cursor]
