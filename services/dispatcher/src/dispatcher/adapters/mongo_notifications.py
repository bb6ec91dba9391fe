"""Notifications in MongoDB."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import cast

from common.contracts.documents import AudienceMember, NotificationDocument
from common.contracts.vocabulary import NotificationStatus
from common.kernel.clock import Clock
from common.mongo.connection import Document, Mongo

FEW = 50
"""Notifications in memory at a time; each may carry up to a page of audience."""

_PLANNED_BY_PAGES = [{"pages": {"$gt": 0}}, {"audience_query": {"$exists": True}}]


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
        query = {
            "wake_at": {"$lte": now},
            "$or": [{"$nor": _PLANNED_BY_PAGES}, {"status": NotificationStatus.CANCELLED}],
        }
        cursor = self._notifications.find(query, {"_id": 1}).sort("wake_at", 1).limit(limit)
        return [document["_id"] async for document in cursor]

    async def page(self, notification: NotificationDocument, number: int) -> list[AudienceMember]:
        page = await self._pages.find_one({"_id": f"{notification['_id']}:{number}"})
        if page is None:
            raise LookupError(f"audience page {number} of {notification['_id']} is gone")
        return cast("list[AudienceMember]", page["members"])

    async def hasten(self, ids: Sequence[str], now: datetime) -> None:
        await self._notifications.update_many(
            {"_id": {"$in": list(ids)}, "wake_at": {"$gt": now}, "planning": {"$exists": False}},
            {"$set": {"wake_at": now}},
        )

    async def lease(self, lease: str, now: datetime, until: datetime) -> NotificationDocument | None:
        # Cancelling sets `wake_at` too: whoever has the lease keeps it nevertheless.
        free = {"wake_at": {"$lte": now}, "planning.until": {"$not": {"$gt": now}}, "$or": _PLANNED_BY_PAGES}
        taken = await self._notifications.find_one_and_update(
            free,
            {"$set": {"wake_at": until, "planning": {"lease": lease, "until": until}}},
            sort=[("wake_at", 1)],
            return_document=True,
        )
        return cast("NotificationDocument | None", taken)

    async def release(self, notification_id: str, lease: str, wake_at: datetime) -> None:
        await self._notifications.update_one(
            {"_id": notification_id, "planning.lease": lease},
            {"$set": {"wake_at": wake_at}, "$unset": {"planning": ""}},
        )

    async def page_planned(
        self, notification_id: str, lease: str, pages: int, until: datetime, *, last: str | None = None
    ) -> NotificationStatus | None:
        reached = {"planned_pages": pages} | ({} if last is None else {"audience_query.after": last})
        noted = await self._notifications.find_one_and_update(
            {"_id": notification_id, "planning.lease": lease},
            {"$max": reached, "$set": {"wake_at": until, "planning.until": until}},
            {"status": 1},
            return_document=True,
        )
        return None if noted is None else NotificationStatus(noted["status"])

    async def completed(self, notification_id: str, lease: str, found: int | None) -> bool:
        result = await self._notifications.update_one(
            {"_id": notification_id, "planning.lease": lease, "status": NotificationStatus.ACCEPTED},
            self._over(NotificationStatus.PLANNED, {"status": NotificationStatus.PLANNED, **_complete(found)}),
        )
        return result.matched_count == 1

    async def planned(self, ids: Sequence[str]) -> int:
        result = await self._notifications.update_many(
            {"_id": {"$in": list(ids)}, "status": NotificationStatus.ACCEPTED},
            self._over(NotificationStatus.PLANNED, {"status": NotificationStatus.PLANNED}),
        )
        return result.modified_count

    async def cancelled(self, ids: Sequence[str]) -> list[str]:
        query = {"_id": {"$in": list(ids)}, "status": NotificationStatus.CANCELLED}
        return [document["_id"] async for document in self._notifications.find(query, {"_id": 1})]

    async def closed(self, ids: Sequence[str], *, lease: str | None = None, found: int | None = None) -> None:
        whose: Document = {"$nor": _PLANNED_BY_PAGES} if lease is None else {"planning.lease": lease}
        open_still = {"status": NotificationStatus.CANCELLED, "wake_at": {"$exists": True}}
        await self._notifications.update_many(
            {"_id": {"$in": list(ids)}, **open_still, **whose},
            self._over(NotificationStatus.CANCELLED, _complete(found)),
        )

    def _over(self, status: NotificationStatus, fields: Document) -> Document:
        """Nothing is left to plan: to be told."""
        return {
            "$set": {**fields, "announce_at": self._clock.now()},
            "$unset": {"wake_at": "", "planning": "", "announced_by": ""},
            "$addToSet": {"untold": status},
        }

    async def postpone(self, ids: Sequence[str], wake_at: datetime) -> None:
        await self._notifications.update_many(
            {"_id": {"$in": list(ids)}, "wake_at": {"$exists": True}}, {"$set": {"wake_at": wake_at}}
        )


def _complete(found: int | None) -> Document:
    return {} if found is None else {"recipients": found, "audience_query.complete": True}
