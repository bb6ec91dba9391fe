"""Removing old contents from MongoDB: in batches, by an index, each write under the condition that it is over."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from common.contracts.directory import InvoiceStatus, TicketStatus
from common.contracts.vocabulary import WAITING
from common.mongo.connection import Document, Mongo
from common.mongo.directory import forgotten
from common.mongo.personal import HOLDINGS, emptied, removed_contents
from common.mongo.search_keys import named_by
from scheduler.application.remove_old_contents import Removed

BATCH = 500
NOT_OVER = "not over"
Over = Callable[[datetime], Document]
_CLOSED = {"$or": [{"replayed_at": {"$exists": True}}, {"discarded_at": {"$exists": True}}]}
_HAS_CONTENTS = {"$gt": ""}
_WHOSE = {"notification_id": 1}

DELETED: dict[str, Over] = {
    "idempotency_keys": lambda before: {"created_at": {"$lt": before}},
    "early_reports": lambda before: {"expires_at": {"$lt": before}},
    "recipient_gates": lambda before: {"touched_at": {"$lt": before}},
    "webhook_messages": lambda before: {"created_at": {"$lt": before}, "status": {"$ne": "pending"}},
    "wishes": lambda before: {"at": {"$lt": before}, "unheeded": []},
    "parked_envelopes": lambda before: {"parked_at": {"$lt": before}, **_CLOSED},
}
"""Documents that go as a whole; the server's own expiry is sooner for most, unless little is to be kept."""


class MongoOldContents:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._notifications = mongo["notifications"]
        self._deliveries = mongo["deliveries"]
        self._pages = mongo["audience_pages"]

    async def remove(self, before: datetime, *, now: datetime, dry_run: bool) -> AsyncIterator[Removed]:
        async for batch in self._of_notifications(before, now, dry_run=dry_run):
            yield batch
        for collection, over in DELETED.items():
            async for batch in self._deleted(collection, over(before), dry_run=dry_run):
                yield batch
        for collection, (query, update) in _emptied_by_age(before, now).items():
            async for batch in self._emptied(collection, query, update, dry_run=dry_run):
                yield batch

    async def _of_notifications(self, before: datetime, now: datetime, *, dry_run: bool) -> AsyncIterator[Removed]:
        """With their deliveries and pages; a notification is over when nothing of it waits or is still to be told."""
        after: tuple[datetime, str] | None = None
        while found := await self._oldest(before, after):
            after = found[-1]["created_at"], found[-1]["_id"]
            waiting = await self._not_over(found)
            over = [one["_id"] for one in found if one["_id"] not in waiting]
            kept = 0
            async for batch in self._deliveries_of(over, now, dry_run=dry_run):
                kept += batch.found - batch.removed
                yield batch
            if kept:  # a person has just wanted one of them again
                over = await self._without_contents(over)
            pages = [f"{one['_id']}:{n}" for one in found if one["_id"] in over for n in range(one["pages"])]
            async for batch in self._deleted("audience_pages", {"_id": {"$in": pages}}, dry_run=dry_run):
                yield batch
            if not dry_run:
                empty = emptied("notifications", contents_removed_at=now)
                await self._notifications.update_many({"_id": {"$in": over}}, empty)
            left = len(found) - len(over)
            yield Removed("notifications", len(found), len(over), Counter({NOT_OVER: left} if left else {}))

    async def _oldest(self, before: datetime, after: tuple[datetime, str] | None) -> list[Document]:
        query: Document = {"created_by": _HAS_CONTENTS, "created_at": {"$lt": before}}
        if after is not None:
            at, identity = after
            query["created_at"]["$gte"] = at
            query["$or"] = [{"created_at": {"$gt": at}}, {"_id": {"$gt": identity}}]
        wanted = {"created_at": 1, "pages": 1, "wake_at": 1, "announce_at": 1}
        cursor = self._notifications.find(query, wanted, hint="with_contents")
        return await cursor.sort([("created_at", 1), ("_id", 1)]).limit(BATCH).to_list(BATCH)

    async def _not_over(self, notifications: Sequence[Document]) -> set[str]:
        unfinished = {one["_id"] for one in notifications if "wake_at" in one or "announce_at" in one}
        of_them = {"notification_id": {"$in": [one["_id"] for one in notifications]}}
        waiting = await self._deliveries.distinct("notification_id", {**of_them, "status": {"$in": sorted(WAITING)}})
        untold = self._deliveries.find({"announce_at": {"$exists": True}, **of_them}, _WHOSE, hint="untold")
        return unfinished | set(waiting) | {one["notification_id"] async for one in untold}

    async def _deliveries_of(self, over: Sequence[str], now: datetime, *, dry_run: bool) -> AsyncIterator[Removed]:
        with_contents = {"notification_id": {"$in": list(over)}, "recipient": _HAS_CONTENTS}
        async for ids in self._batches("deliveries", with_contents):
            if dry_run:
                yield Removed("deliveries", len(ids), len(ids))
                continue
            ended = {"_id": {"$in": ids}, "status": {"$nin": sorted(WAITING)}, "announce_at": {"$exists": False}}
            done = (await self._deliveries.update_many(ended, removed_contents(now))).modified_count
            left = len(ids) - done
            yield Removed("deliveries", len(ids), done, Counter({NOT_OVER: left} if left else {}))

    async def _without_contents(self, notifications: Sequence[str]) -> list[str]:
        query = {"notification_id": {"$in": list(notifications)}, "recipient": _HAS_CONTENTS}
        left = set(await self._deliveries.distinct("notification_id", query))
        return [identity for identity in notifications if identity not in left]

    async def _deleted(self, collection: str, query: Document, *, dry_run: bool) -> AsyncIterator[Removed]:
        async for ids in self._batches(collection, query):
            gone = len(ids)
            if not dry_run:
                gone = (await self._mongo[collection].delete_many({**query, "_id": {"$in": ids}})).deleted_count
            yield Removed(collection, len(ids), gone)

    async def _emptied(
        self, collection: str, query: Document, update: list[Document], *, dry_run: bool
    ) -> AsyncIterator[Removed]:
        async for ids in self._batches(collection, query):
            done = len(ids)
            if not dry_run:
                matching = {**query, "_id": {"$in": ids}}
                done = (await self._mongo[collection].update_many(matching, update)).modified_count
            yield Removed(collection, len(ids), done)

    async def _batches(self, collection: str, query: Document) -> AsyncIterator[list[str]]:
        ids: list[str] = []
        async for document in self._mongo[collection].find(query, {"_id": 1}, batch_size=BATCH):
            ids.append(document["_id"])
            if len(ids) == BATCH:
                yield ids
                ids = []
        if ids:
            yield ids


def _emptied_by_age(before: datetime, now: datetime) -> dict[str, tuple[Document, list[Document]]]:
    """What is found by its own age and emptied: whoever is told more of it later may."""
    open_still = {"replayed_at": {"$exists": False}, "discarded_at": {"$exists": False}}
    discarded = emptied("parked_envelopes", discarded_at=now, discarded_by="retention")
    noted = f"sup_{int(before.timestamp() * 1000):012x}"
    return {
        "parked_envelopes": ({"parked_at": {"$lt": before}, **open_still}, discarded),
        "suppressions": ({"listed_as": {"$lt": noted}, "note": _HAS_CONTENTS}, emptied("suppressions")),
        "tickets": _settled("tickets", [TicketStatus.RESOLVED, TicketStatus.CLOSED, TicketStatus.CANCELLED], before),
        "invoices": _settled("invoices", [InvoiceStatus.PAID, InvoiceStatus.CANCELLED], before),
    }


def _settled(kind: str, statuses: Sequence[str], before: datetime) -> tuple[Document, list[Document]]:
    fields = list(HOLDINGS[kind].emptied)
    any_text = {"$or": [{name: _HAS_CONTENTS} for name in fields]}
    return (
        {"changed_at": {"$lt": before}, "status": {"$in": list(statuses)}, **any_text},
        forgotten(fields, called=named_by(kind)),
    )
