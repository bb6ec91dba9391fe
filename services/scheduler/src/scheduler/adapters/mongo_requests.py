"""What jobs asked for, in MongoDB: a document's identity is what must not be asked for twice."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from common.contracts.facts import NotificationRequested
from common.kernel.identity import new_id
from common.mongo.connection import DUPLICATE_KEY, BulkWriteError, Document, Mongo, UpdateOne
from common.telemetry import tracing
from common.telemetry.logs import logger
from scheduler.application.ask_once import Taken, Wish

log = logger()
REMEMBERED = timedelta(days=90)
"""After it the same may be asked for again, which only somebody does who runs a job for a day so long ago."""


class MongoRequests:
    """`job_requests`, as `JobRequestDocument` describes it."""

    def __init__(self, mongo: Mongo) -> None:
        self._requests = mongo["job_requests"]

    async def keep(self, wishes: Sequence[Wish], *, by: str, at: datetime, now: datetime) -> Collection[str]:
        taken = await self._insert([{"_id": wish.once, **_asked(wish, by, at, now)} for wish in wishes])
        again = [
            # Nothing, unless the last time is long enough ago and was another firing's.
            UpdateOne(
                {"_id": wish.once, "asked_at": {"$lte": at - wish.every}, "asked_by": {"$ne": by}},
                {"$set": _asked(wish, by, at, now), "$unset": {"taken_by": ""}},
            )
            for wish in wishes
            if wish.once in taken and wish.every is not None
        ]
        if again:
            await self._requests.bulk_write(again, ordered=False)
        found = self._requests.find({"_id": {"$in": sorted(taken)}, "asked_by": by}, {"_id": 1}) if taken else None
        mine = {document["_id"] async for document in found} if found is not None else set()
        return {wish.once for wish in wishes if wish.once not in taken} | mine

    async def known(self, wishes: Sequence[Wish], *, at: datetime) -> Collection[str]:
        cursor = self._requests.find({"_id": {"$in": [wish.once for wish in wishes]}}, {"asked_at": 1})
        asked = {document["_id"]: document["asked_at"] async for document in cursor}
        return {
            wish.once
            for wish in wishes
            if wish.once in asked and (wish.every is None or asked[wish.once] > at - wish.every)
        }

    async def take(self, now: datetime, until: datetime, limit: int) -> Taken:
        mark = new_id("hand")
        due = {"wake_at": {"$lte": now}}
        ids = [one["_id"] async for one in self._requests.find(due, {"_id": 1}).sort("wake_at", 1).limit(limit)]
        if not ids:
            return Taken(mark)
        await self._requests.update_many({"_id": {"$in": ids}, **due}, {"$set": {"wake_at": until, "taken_by": mark}})
        cursor = self._requests.find({"_id": {"$in": ids}, "taken_by": mark}, {"request": 1, "traceparent": 1})
        found = {one["_id"]: _read(one) async for one in cursor}
        return Taken(mark, {once: request for once, request in found.items() if request is not None})

    async def handed_over(self, taken: Taken) -> None:
        await self._requests.update_many(
            {"_id": {"$in": list(taken.requests)}, "taken_by": taken.mark},
            {"$unset": {"wake_at": "", "taken_by": "", "request": "", "traceparent": ""}},
        )

    async def _insert(self, documents: Sequence[Document]) -> set[str]:
        """Those whose identities were there."""
        try:
            await self._requests.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            refused = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(one["code"] != DUPLICATE_KEY for one in refused):
                raise
            return {documents[one["index"]]["_id"] for one in refused}
        return set()


def _read(document: Document) -> NotificationRequested | None:
    """`None` for what only a newer scheduler can read: it stays, and holds up nothing."""
    try:
        request = NotificationRequested.model_validate_json(document["request"])
        return request.belonging_to(document.get("traceparent"))
    except (KeyError, ValidationError) as error:
        log.warning("request.unreadable", request=document["_id"], error=type(error).__name__)
        return None


def _asked(wish: Wish, by: str, at: datetime, now: datetime) -> Document:
    request = wish.request.model_dump_json(exclude_none=True)
    asked: Document = {
        "asked_by": by,
        "asked_at": at,
        "forget_at": now + REMEMBERED,
        "request": request,
        "wake_at": now,
    }
    if (traceparent := tracing.current_traceparent()) is not None:
        asked["traceparent"] = traceparent
    return asked
