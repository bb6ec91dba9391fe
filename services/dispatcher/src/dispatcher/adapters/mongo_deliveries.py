"""Deliveries in MongoDB."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from common.contracts.documents import DeliveryDocument
from common.contracts.events import DeliveryChanged
from common.contracts.vocabulary import WAITING, AttemptState, DeliveryStatus, Priority
from common.mongo.connection import DUPLICATE_KEY, BulkWriteError, Document, UpdateOne
from common.mongo.connection import Collection as Stored
from common.mongo.ending import cancel_all
from dispatcher.domain.announcements import is_told, of_change, of_planned
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

DEAD = frozenset({DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN})
"""What waits for a person."""

OWN_TELLING = timedelta(seconds=3)
"""Who wrote it tells it at once; after so long a sweeper does."""

Announcing = Callable[[Sequence[tuple[DeliveryChanged, bool]]], None]
"""Takes what a write brought about, each with whether nothing older of that delivery waits to be told."""

TIMELINE_ENTRIES = 500
"""The last so many are kept: one that nobody can take for days must not grow without bound."""


def _left_to_the_sweeper(_: Sequence[tuple[DeliveryChanged, bool]]) -> None:
    """Nobody tells it here."""


class MongoDeliveries:
    """Every change is one write of one document, under the revision it was read with or the state it must be in."""

    def __init__(self, collection: Stored, announce: Announcing = _left_to_the_sweeper) -> None:
        self._collection = collection
        self._announce = announce

    async def add(self, deliveries: Sequence[DeliveryDocument]) -> Collection[str]:
        over = [delivery for delivery in deliveries if delivery["status"] not in WAITING]
        for delivery in over:
            delivery["announce_at"] = delivery["created_at"] + OWN_TELLING
            delivery["timeline"][0]["revision"] = 0
            if delivery["status"] in DEAD:
                delivery["dead_at"] = delivery["created_at"]
        there: set[str] = set()
        try:
            await self._collection.insert_many(cast("list[Document]", deliveries), ordered=False)
        except BulkWriteError as error:
            refused = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(one["code"] != DUPLICATE_KEY for one in refused):
                raise
            there = {one["op"]["_id"] for one in refused}
        self._announce([(of_planned(delivery), True) for delivery in over if delivery["_id"] not in there])
        return there

    async def count(self, notification_id: str) -> int:
        return await self._collection.count_documents({"notification_id": notification_id}, hint="progress")

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
        alike: dict[tuple[int, str], dict[int, list[str]]] = {}
        for delivery in deliveries:
            before = ", ".join(passed_over(delivery, provider))
            cause = f"to {sender}; {before} is out or at a limit" if before else f"to {sender}"
            revisions = alike.setdefault((delivery["attempts_made"], cause), {})
            revisions.setdefault(delivery["revision"], []).append(delivery["_id"])
        modified = 0
        for (made, cause), revisions in alike.items():
            result = await self._collection.update_many(
                {**_as_read(revisions), "lane": {"$gt": ""}, "attempts_made": made, "expires_at": {"$gt": now}},
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

    async def following(self, head: DeliveryDocument, limit: int) -> list[DeliveryDocument]:
        query = {"lane": head["lane"], "rank": head["rank"], "queued_at": {"$gte": head["queued_at"]}}
        cursor = self._collection.find(query, _DECIDED_WITHOUT).sort([("queued_at", 1), ("position", 1)]).limit(limit)
        return cast("list[DeliveryDocument]", await cursor.to_list(limit))

    async def requested(self, sender: str, most: int) -> int:
        query = {"attempt.sender": sender, "attempt.state": AttemptState.REQUESTED}
        return await self._collection.count_documents(query, limit=most)

    async def read(self, ids: Sequence[str]) -> list[DeliveryDocument]:
        cursor = self._collection.find({"_id": {"$in": list(ids)}}, _DECIDED_WITHOUT)
        return cast("list[DeliveryDocument]", await cursor.to_list(None))

    async def reported(
        self, *, ids: Sequence[str], message_ids: Sequence[str], state_ids: Sequence[str]
    ) -> list[DeliveryDocument]:
        named = {"_id": ids, "attempts.provider_message_id": message_ids, "attempts.state_id": state_ids}
        asked = [{name: {"$in": list(values)}} for name, values in named.items() if values]
        if not asked:
            return []
        cursor = self._collection.find({"$or": asked}, _DECIDED_WITHOUT)
        return cast("list[DeliveryDocument]", await cursor.to_list(None))

    async def doubted(self, now: datetime, limit: int) -> list[DeliveryDocument]:
        under_way: Document = {"status": DeliveryStatus.SENDING, "lane": None, "wake_at": {"$gt": now}}
        query = {**under_way, "attempt": None, "proof_at": {"$lte": now}}
        cursor = self._collection.find(query, _DECIDED_WITHOUT, hint="deadline").limit(limit)
        return cast("list[DeliveryDocument]", await cursor.to_list(limit))

    async def claim_doubted(self, moments: Iterable[tuple[DeliveryDocument, datetime]]) -> list[DeliveryDocument]:
        claims = list(moments)
        written = await asyncio.gather(
            *(
                self._collection.update_one(
                    {"_id": one["_id"], "proof_at": one["proof_at"]}, {"$set": {"proof_at": until}}
                )
                for one, until in claims
            )
        )
        pairs = zip(claims, written, strict=True)
        return [{**one, "proof_at": until} for (one, until), result in pairs if result.matched_count]

    async def ask_again(self, moments: Iterable[tuple[DeliveryDocument, datetime]]) -> None:
        # Without a new revision: it is nothing anybody decides on.
        await self._collection.bulk_write(
            [
                UpdateOne({"_id": one["_id"], "proof_at": one["proof_at"]}, {"$set": {"proof_at": at}})
                for one, at in moments
            ],
            ordered=False,
        )

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
        conflicting = [] if result.modified_count == len(listed) else await self._conflicting(listed)
        self._announce(
            [
                (of_change(delivery, change, now), "announce_at" not in delivery)
                for delivery, change in listed
                if is_told(delivery, change) and delivery["_id"] not in conflicting
            ]
        )
        return conflicting

    async def _conflicting(self, changes: Sequence[tuple[DeliveryDocument, Change]]) -> list[str]:
        """Those whose revision is not the one this write would have made, with the cause it would have left.

        One that leaves no cause cannot be told from another's write: it is decided on again, which changes nothing.
        """
        expected = {delivery["_id"]: (delivery["revision"] + 1, change.cause) for delivery, change in changes}
        cursor = self._collection.find({"_id": {"$in": list(expected)}}, {"revision": 1, "timeline": {"$slice": -1}})
        written = set()
        async for document in cursor:
            revision, cause = expected[document["_id"]]
            if document["revision"] == revision and cause and cause == document["timeline"][-1]["cause"]:
                written.add(document["_id"])
        return [identity for identity in expected if identity not in written]


def _as_read(revisions: Mapping[int, Sequence[str]]) -> Document:
    """Those of these deliveries, by revision, that nothing happened to since: whoever claims them saves them again."""
    found = [{"revision": revision, "_id": {"$in": ids}} for revision, ids in revisions.items()]
    if len(found) == 1:
        return found[0]
    return {"_id": {"$in": [identity for ids in revisions.values() for identity in ids]}, "$or": found}


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
    if change.status in DEAD and change.status != delivery["status"] and "discarded_at" not in delivery:
        fields["dead_at"] = now
    elif change.status not in DEAD and "dead_at" in delivery:
        removed["dead_at"] = ""
    pushed: Document = {}
    update: Document = {"$inc": {"revision": 1}}
    if change.cause:
        entry: Document = {"at": now, "status": change.status, "cause": change.cause}
        if is_told(delivery, change):
            entry["revision"] = delivery["revision"] + 1
            update["$min"] = {"announce_at": now + OWN_TELLING}
        pushed = _timeline(entry)
    if not change.keep_attempt:
        fields["attempt"] = None
    _attempts(delivery, change, fields, pushed)
    parts = {"$set": fields, "$push": pushed, "$unset": removed}
    return update | {operator: part for operator, part in parts.items() if part}


def _attempts(delivery: DeliveryDocument, change: Change, fields: Document, pushed: Document) -> None:
    """What a change writes of the past attempts."""
    if change.past is not None:
        kept = with_past(delivery["attempts"], change.past)
        if len(kept) > len(delivery["attempts"]):
            pushed["attempts"] = change.past
        else:
            fields["attempts"] = kept
    if change.amended_number is not None:
        index = next(i for i, a in enumerate(delivery["attempts"]) if a["number"] == change.amended_number)
        fields |= {f"attempts.{index}.{name}": value for name, value in change.amended.items()}
