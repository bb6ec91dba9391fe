"""Deliveries in MongoDB, as people look at them and act on them."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from api_gateway.adapters.delivery_queries import selected
from api_gateway.application.ports import Selection
from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import Channel, DeliveryStatus, Priority
from common.mongo.connection import Document, Mongo, UpdateOne
from common.mongo.ending import NOT_UNDER_WAY, cancel_all, ended

BATCH = 1_000
_NO_MAIL: Document = {"channel": {"$ne": Channel.EMAIL}}
DEAD = [DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN]


class MongoDeliveries:
    def __init__(self, mongo: Mongo) -> None:
        self._deliveries = mongo["deliveries"]

    async def get(self, delivery_id: str) -> DeliveryDocument | None:
        return cast("DeliveryDocument | None", await self._deliveries.find_one({"_id": delivery_id}))

    async def of_notification(self, notification_id: str) -> DeliveryDocument | None:
        found = await self._deliveries.find_one({"notification_id": notification_id})
        return cast("DeliveryDocument | None", found)

    async def page(self, selection: Selection) -> list[DeliveryDocument]:
        cursor = self._deliveries.find(selected(selection), {"message": 0}).sort("_id", -1).limit(selection.limit)
        if selection.dead:  # they are few, whatever else is asked of them
            cursor = cursor.hint("dead_pages")
        return cast("list[DeliveryDocument]", await cursor.to_list(None))

    async def queued(self) -> AsyncIterator[list[str]]:
        async for batch in self._batches({"status": DeliveryStatus.QUEUED, **_NO_MAIL}):
            yield batch

    async def cancel(self, ids: Sequence[str], *, reason: str, cause: str, now: datetime) -> int:
        result = await self._deliveries.update_many(
            {"_id": {"$in": list(ids)}, "status": {"$in": NOT_UNDER_WAY}},
            ended(DeliveryStatus.CANCELLED, reason=reason, cause=cause, now=now),
        )
        return result.modified_count

    async def cancel_all(self, notification_id: str, *, reason: str, cause: str, now: datetime) -> int:
        return await cancel_all(self._deliveries, notification_id, reason=reason, cause=cause, now=now)

    async def line_up_again(self, deliveries: Sequence[DeliveryDocument], *, cause: str, now: datetime) -> int:
        if not deliveries:
            return 0
        updates: list[Any] = [
            UpdateOne(
                {
                    "_id": delivery["_id"],
                    "status": delivery["status"],
                    "revision": delivery["revision"],
                    "contents_removed_at": {"$exists": False},
                },
                _lined_up(delivery, cause=cause, now=now),
            )
            for delivery in deliveries
        ]
        modified: int = (await self._deliveries.bulk_write(updates, ordered=False)).modified_count
        return modified

    async def discard(self, ids: Sequence[str], *, cause: str, now: datetime) -> int:
        changed = 0
        for status in DEAD:
            result = await self._deliveries.update_many(
                {"_id": {"$in": list(ids)}, "status": status, "discarded_at": {"$exists": False}},
                {
                    "$set": {"discarded_at": now},
                    "$unset": {"dead_at": ""},
                    "$push": {"timeline": {"at": now, "status": status, "cause": cause}},
                    "$inc": {"revision": 1},
                },
            )
            changed += result.modified_count
        return changed

    async def hurry(self, now: datetime) -> int:
        waiting = {"status": DeliveryStatus.QUEUED, "lane": {"$exists": False}, "retries": {"$gt": 0}, **_NO_MAIL}
        hurried = 0
        async for batch in self._batches({**waiting, "wake_at": {"$gt": now}}):
            result = await self._deliveries.update_many(
                {"_id": {"$in": batch}, **waiting}, {"$set": {"wake_at": now}, "$inc": {"revision": 1}}
            )
            hurried += result.modified_count
        return hurried

    async def _batches(self, query: Document) -> AsyncIterator[list[str]]:
        batch: list[str] = []
        async for document in self._deliveries.find(query, {"_id": 1}, batch_size=BATCH):
            batch.append(document["_id"])
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch


def _lined_up(delivery: DeliveryDocument, *, cause: str, now: datetime) -> Document:
    """A new round for a delivery that had ended."""
    expires_at = now + timedelta(seconds=delivery["validity_seconds"])
    return {
        "$set": {
            "status": DeliveryStatus.QUEUED,
            "lane": ",".join(delivery["route"]),
            "rank": Priority(delivery["priority"]).rank,  # a direct send stood before everybody; now it queues
            "queued_at": now,
            "wake_at": expires_at,
            "expires_at": expires_at,
            "retries": 0,
            "round_from": delivery["attempts_made"],
            "direct": False,
            "code": None,
            "reason": None,
            "sent_at": None,
            "sent_by": None,
            "retried_at": now,
            "possible_duplicate": delivery["possible_duplicate"] or delivery["status"] == DeliveryStatus.UNKNOWN,
        },
        "$unset": {"dead_at": "", "discarded_at": "", "called_off": "", "called_off_code": ""},
        "$push": {"timeline": {"at": now, "status": DeliveryStatus.QUEUED, "cause": cause}},
        "$inc": {"revision": 1},
    }
