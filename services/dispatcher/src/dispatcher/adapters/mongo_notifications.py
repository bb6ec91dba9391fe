"""Notifications in MongoDB."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import cast

from common.contracts.documents import AudienceMember, NotificationDocument
from common.contracts.vocabulary import NotificationStatus
from common.kernel.clock import Clock
from common.mongo.connection import Mongo

FEW = 50
"""Notifications in memory at a time; each may carry up to a page of audience."""


class MongoNotifications:
    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._clock = clock
        self._notifications = mongo["notifications"]
        self._pages = mongo["audience_pages"]

    async def accepted(self, ids: Sequence[str]) -> AsyncIterator[NotificationDocument]:
        query = {
            "_id": {"$in": list(ids)},
            "$or": [
                {"status": NotificationStatus.ACCEPTED},
                {"status": NotificationStatus.CANCELLED, "wake_at": {"$exists": True}},
            ],
        }
        async for document in self._notifications.find(query).batch_size(FEW):
            yield cast("NotificationDocument", document)

    async def overdue(self, now: datetime, limit: int) -> list[str]:
        cursor = self._notifications.find({"wake_at": {"$lte": now}}, {"_id": 1}).sort("wake_at", 1).limit(limit)
        return [document["_id"] async for document in cursor]

    async def page(self, notification: NotificationDocument, number: int) -> list[AudienceMember]:
        page = await self._pages.find_one({"_id": f"{notification['_id']}:{number}"})
        if page is None:
            raise LookupError(f"audience page {number} of {notification['_id']} is gone")
        return cast("list[AudienceMember]", page["members"])

    async def page_planned(
        self, notification_id: str, pages: int, wake_at: datetime, *, last: str | None = None
    ) -> None:
        # Of two planners that are not equally far the one that is behind changes nothing.
        reached = {"planned_pages": pages} | ({} if last is None else {"audience_query.after": last})
        await self._notifications.update_one(
            {
                "_id": notification_id,
                "status": {"$in": [NotificationStatus.ACCEPTED, NotificationStatus.CANCELLED]},
                "wake_at": {"$exists": True},
            },
            {"$max": reached, "$set": {"wake_at": wake_at}},
        )

    async def found(self, notification_id: str, recipients: int) -> None:
        await self._notifications.update_one(
            {"_id": notification_id}, {"$set": {"recipients": recipients, "audience_query.complete": True}}
        )

    async def planned(self, ids: Sequence[str]) -> int:
        result = await self._notifications.update_many(
            {"_id": {"$in": list(ids)}, "status": NotificationStatus.ACCEPTED},
            {
                "$set": {"status": NotificationStatus.PLANNED, "announce_at": self._clock.now()},
                "$unset": {"wake_at": "", "announced_by": ""},
                "$addToSet": {"untold": NotificationStatus.PLANNED},
            },
        )
        return result.modified_count

    async def cancelled(self, ids: Sequence[str]) -> list[str]:
        query = {"_id": {"$in": list(ids)}, "status": NotificationStatus.CANCELLED}
        return [document["_id"] async for document in self._notifications.find(query, {"_id": 1})]

    async def closed(self, ids: Sequence[str]) -> None:
        await self._notifications.update_many(
            {"_id": {"$in": list(ids)}, "status": NotificationStatus.CANCELLED, "wake_at": {"$exists": True}},
            {
                "$set": {"announce_at": self._clock.now()},
                "$unset": {"wake_at": "", "announced_by": ""},
                "$addToSet": {"untold": NotificationStatus.CANCELLED},
            },
        )

    async def postpone(self, ids: Sequence[str], wake_at: datetime) -> None:
        await self._notifications.update_many(
            {"_id": {"$in": list(ids)}, "wake_at": {"$exists": True}}, {"$set": {"wake_at": wake_at}}
        )
