"""What may not have been told to others, found by its `announce_at`."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from common.contracts.documents import DeliveryDocument, NotificationDocument
from common.contracts.events import DeliveryChanged
from common.kernel.clock import Clock
from common.kernel.identity import new_id
from common.mongo.connection import Collection, Document, Mongo

_TOLD = {"$unset": {"announce_at": "", "announced_by": ""}}


class MongoUntold:
    """A sweeper puts its own mark on what it found, so that several do not all tell the same."""

    def __init__(self, mongo: Mongo) -> None:
        self._deliveries = mongo["deliveries"]
        self._notifications = mongo["notifications"]

    async def told(self, events: Sequence[DeliveryChanged]) -> None:
        alike: defaultdict[int, list[str]] = defaultdict(list)
        for event in events:
            alike[event.version].append(event.delivery_id)
        for revision, ids in alike.items():
            await self._deliveries.update_many({"_id": {"$in": ids}, "revision": revision}, _TOLD)

    async def deliveries(self, clock: Clock, lease: timedelta, limit: int) -> list[DeliveryDocument]:
        found = await _claimed(self._deliveries, clock, lease, limit, {"message": 0})
        return cast("list[DeliveryDocument]", found)

    async def deliveries_told(self, deliveries: Sequence[DeliveryDocument]) -> None:
        alike: defaultdict[int, list[str]] = defaultdict(list)
        for delivery in deliveries:
            alike[delivery["revision"]].append(delivery["_id"])
        for revision, ids in alike.items():
            await self._deliveries.update_many({"_id": {"$in": ids}, "revision": revision}, _TOLD)

    async def notifications(self, clock: Clock, lease: timedelta, limit: int) -> list[NotificationDocument]:
        wanted = {"type": 1, "recipients": 1, "untold": 1, "announced_by": 1, "traceparent": 1}
        found = await _claimed(self._notifications, clock, lease, limit, wanted)
        return cast("list[NotificationDocument]", found)

    async def notifications_told(self, notifications: Sequence[NotificationDocument]) -> None:
        by = cast("Any", notifications[0])["announced_by"]
        ids = [one["_id"] for one in notifications]
        # What happened meanwhile has taken the mark away: it is told again.
        await self._notifications.update_many(
            {"_id": {"$in": ids}, "announced_by": by}, {"$unset": {**_TOLD["$unset"], "untold": ""}}
        )

    async def progress(self, notification_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        counted: defaultdict[str, dict[str, int]] = defaultdict(dict)
        pipeline: list[Document] = [
            {"$match": {"notification_id": {"$in": list(notification_ids)}}},
            {"$group": {"_id": {"of": "$notification_id", "status": "$status"}, "count": {"$sum": 1}}},
        ]
        async for row in self._deliveries.aggregate(pipeline):
            counted[row["_id"]["of"]][row["_id"]["status"]] = row["count"]
        return counted


async def _claimed(
    collection: Collection, clock: Clock, lease: timedelta, limit: int, wanted: Document
) -> list[Document]:
    now = clock.now()
    overdue = {"announce_at": {"$lte": now}}
    ids = [one["_id"] async for one in collection.find(overdue, {"_id": 1}).sort("announce_at", 1).limit(limit)]
    if not ids:
        return []
    mark = new_id("sweep")
    await collection.update_many(
        {"_id": {"$in": ids}, **overdue}, {"$set": {"announce_at": now + lease, "announced_by": mark}}
    )
    return await collection.find({"_id": {"$in": ids}, "announced_by": mark}, wanted).to_list(None)
