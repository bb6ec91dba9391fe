"""Deliveries in MongoDB."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import AttemptState, DeliveryStatus, Priority
from common.mongo.connection import DUPLICATE_KEY, BulkWriteError, Collection, Document, UpdateOne
from common.mongo.ending import cancel_all
from dispatcher.domain.attempts import with_past
from dispatcher.domain.change import Change
from dispatcher.domain.lanes import passed_over
from dispatcher.domain.rounds import CANCELLED, LONGEST_REST

_DECIDED_WITHOUT = {"message": 0, "timeline": 0}
"""What no decision looks at stays in the database."""

_WAITING: list[Document] = [
    {"status": DeliveryStatus.SENDING, "lane": None},
    {"status": DeliveryStatus.QUEUED, "lane": None},
    {"status": DeliveryStatus.SCHEDULED, "lane": None},
    {"status": DeliveryStatus.QUEUED, "lane": {"$gt": ""}},
]
"""Everything a deadline ends, the most pressing first: an attempt, a backoff, the time to wait for, a place in line."""

TIMELINE_ENTRIES = 500
"""The last so many are kept: one that nobody can take for days must not grow without bound."""


class MongoDeliveries:
    """Every change is one write of one document, under the revision it was read with or the state it must be in."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def add(self, deliveries: Sequence[DeliveryDocument]) -> int:
        try:
            await self._collection.insert_many(cast("list[Document]", deliveries), ordered=False)
        except BulkWriteError as error:
            others = [e for e in error.details["writeErrors"] if e["code"] != DUPLICATE_KEY]
            if others or error.details.get("writeConcernErrors"):
                raise
            return int(error.details["nInserted"])
        return len(deliveries)

    async def cancel(self, notification_ids: Sequence[str], now: datetime) -> int:
        ended = 0
        for identity in notification_ids:
            ended += await cancel_all(
                self._collection, identity, reason=CANCELLED, cause=CANCELLED, now=now, retried_at={"$exists": False}
            )
        return ended

    async def heads(self, lanes: Sequence[str], now: datetime, limit: int) -> list[DeliveryDocument]:
        return await self._next({"lane": {"$in": list(lanes)}, "expires_at": {"$gt": now}}, limit)

    async def critical(self, lanes: Sequence[str], now: datetime, limit: int) -> list[DeliveryDocument]:
        wanted = {"rank": Priority.CRITICAL.rank, "priority": Priority.CRITICAL}
        return await self._next({"lane": {"$in": list(lanes)}, **wanted, "expires_at": {"$gt": now}}, limit)

    async def _next(self, query: Document, limit: int) -> list[DeliveryDocument]:
        in_line = [("rank", 1), ("queued_at", 1), ("position", 1)]
        cursor = self._collection.find(query, {"timeline": 0}).sort(in_line).limit(limit)
        return cast("list[DeliveryDocument]", await cursor.to_list(limit))

    async def aged(
        self, lanes: Sequence[str], rank: int, before: datetime, now: datetime, limit: int
    ) -> list[DeliveryDocument]:
        query = {
            "lane": {"$in": list(lanes)},
            "rank": rank,
            "queued_at": {"$lte": before},
            "expires_at": {"$gt": now},
        }
        cursor = self._collection.find(query, {"timeline": 0}).sort([("queued_at", 1), ("position", 1)]).limit(limit)
        return cast("list[DeliveryDocument]", await cursor.to_list(limit))

    async def claim(
        self, deliveries: Sequence[DeliveryDocument], *, claim: str, provider: str, sender: str, now: datetime,
        deadline: datetime,
    ) -> list[DeliveryDocument]:  # fmt: skip
        # Deliveries of one batch usually have the same past, and all that have are one update.
        alike: dict[tuple[int, str], list[str]] = {}
        for delivery in deliveries:
            before = ", ".join(passed_over(delivery, provider))
            cause = f"to {sender}; {before} is out or at a limit" if before else f"to {sender}"
            alike.setdefault((delivery["attempts_made"], cause), []).append(delivery["_id"])
        modified = 0
        for (made, cause), ids in alike.items():
            result = await self._collection.update_many(
                {"_id": {"$in": ids}, "lane": {"$gt": ""}, "attempts_made": made, "expires_at": {"$gt": now}},
                {
                    "$set": {
                        "status": DeliveryStatus.SENDING,
                        "wake_at": deadline,
                        "attempts_made": made + 1,
                        "attempt": {
                            "number": made + 1,
                            "claim": claim,
                            "provider": provider,
                            "sender": sender,
                            "state": AttemptState.REQUESTED,
                            "requested_at": now,
                            "deadline": deadline,
                        },
                    },
                    "$unset": {"lane": ""},
                    "$push": _timeline({"at": now, "status": DeliveryStatus.SENDING, "cause": cause}),
                    "$inc": {"revision": 1},
                },
            )
            modified += result.modified_count
        if modified == len(deliveries):
            return [_claimed(delivery) for delivery in deliveries]
        ids = [delivery["_id"] for delivery in deliveries]
        won = {
            document["_id"]
            async for document in self._collection.find({"_id": {"$in": ids}, "attempt.claim": claim}, {"_id": 1})
        }
        return [_claimed(delivery) for delivery in deliveries if delivery["_id"] in won]

    async def requested(self, sender: str, most: int) -> int:
        query = {"attempt.sender": sender, "attempt.state": AttemptState.REQUESTED}
        return await self._collection.count_documents(query, limit=most)

    async def read(self, ids: Sequence[str]) -> list[DeliveryDocument]:
        cursor = self._collection.find({"_id": {"$in": list(ids)}}, _DECIDED_WITHOUT)
        return cast("list[DeliveryDocument]", await cursor.to_list(None))

    async def overdue(self, now: datetime, limit: int) -> AsyncIterator[list[DeliveryDocument]]:
        for waiting in _WAITING:
            cursor = self._collection.find({**waiting, "wake_at": {"$lte": now}}, _DECIDED_WITHOUT).limit(limit)
            yield cast("list[DeliveryDocument]", await cursor.to_list(limit))

    async def wake_rests(self, lanes: Sequence[str], now: datetime) -> None:
        rest_of_round = {"$gt": now, "$lte": now + LONGEST_REST}  # one that ends by then is woken too, which is no harm
        await self._collection.update_many(
            {"status": DeliveryStatus.QUEUED, "lane": {"$in": list(lanes)}, "wake_at": rest_of_round},
            {"$set": {"wake_at": now}, "$inc": {"revision": 1}},
            hint="deadline",
        )

    async def save(self, changes: Iterable[tuple[DeliveryDocument, Change]], now: datetime) -> list[str]:
        listed = list(changes)
        if not listed:
            return []
        writes = [
            UpdateOne({"_id": delivery["_id"], "revision": delivery["revision"]}, _update(delivery, change, now))
            for delivery, change in listed
        ]
        result = await self._collection.bulk_write(writes, ordered=False)
        if result.modified_count == len(listed):
            return []
        return await self._conflicting(listed)

    async def _conflicting(self, changes: Sequence[tuple[DeliveryDocument, Change]]) -> list[str]:
        """Those whose revision is not the one this write would have made, with the cause it would have left."""
        expected = {delivery["_id"]: (delivery["revision"] + 1, change.cause) for delivery, change in changes}
        cursor = self._collection.find({"_id": {"$in": list(expected)}}, {"revision": 1, "timeline": {"$slice": -1}})
        written = set()
        async for document in cursor:
            revision, cause = expected[document["_id"]]
            if document["revision"] == revision and cause in {"", document["timeline"][-1]["cause"]}:
                written.add(document["_id"])
        return [identity for identity in expected if identity not in written]


def _claimed(delivery: DeliveryDocument) -> DeliveryDocument:
    """A delivery read before its claim, as the claim has left it in what concerns saving it again."""
    return {**delivery, "attempts_made": delivery["attempts_made"] + 1, "revision": delivery["revision"] + 1}


def _timeline(entry: Document) -> Document:
    return {"timeline": {"$each": [entry], "$slice": -TIMELINE_ENTRIES}}


def _update(delivery: DeliveryDocument, change: Change, now: datetime) -> Document:
    fields: dict[str, Any] = {"status": change.status, **change.fields}
    removed = {}
    for name, value in (("lane", change.lane), ("wake_at", change.wake_at)):
        if value is None:
            removed[name] = ""
        else:
            fields[name] = value
    pushed = _timeline({"at": now, "status": change.status, "cause": change.cause}) if change.cause else {}
    if not change.keep_attempt:
        fields["attempt"] = None
    if change.past is not None:
        kept = with_past(delivery["attempts"], change.past)
        if len(kept) > len(delivery["attempts"]):
            pushed["attempts"] = change.past
        else:
            fields["attempts"] = kept
    if change.amended_number is not None:
        index = next(i for i, a in enumerate(delivery["attempts"]) if a["number"] == change.amended_number)
        fields |= {f"attempts.{index}.{name}": value for name, value in change.amended.items()}
    update: Document = {"$set": fields, "$inc": {"revision": 1}}
    if pushed:
        update["$push"] = pushed
    if removed:
        update["$unset"] = removed
    return update
