"""What a backup left behind, in MongoDB."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from api_gateway.adapters.grouped import persistently
from common.contracts.documents import GATEWAY_SILENT_SECONDS
from common.contracts.vocabulary import (
    RESTORED,
    AttemptState,
    DeliveryStatus,
    NotificationStatus,
    RunStatus,
)
from common.mongo.connection import Collection, Document, Mongo

BATCH = 500
GATEWAY_SILENT = timedelta(seconds=GATEWAY_SILENT_SECONDS)
SCHEDULER_SILENT = timedelta(seconds=15)
UNDER_WAY: list[str] = [DeliveryStatus.QUEUED, DeliveryStatus.SENDING]


class MongoRestored:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def running(self, now: datetime) -> list[str]:
        sending = self._mongo["senders"].find({"gateway_seen_at": {"$gt": now - GATEWAY_SILENT}}, {"_id": 1})
        beating = self._mongo["heartbeats"].find({"seen_at": {"$gt": now - SCHEDULER_SILENT}}, {"_id": 1})
        return [str(one["_id"]) for one in [*await sending.to_list(None), *await beating.to_list(None)]]

    async def end_sessions(self) -> None:
        await persistently(lambda: self._mongo["sessions"].delete_many({}), self._mongo)

    async def hold_notifications(self, now: datetime) -> int:
        unplanned: Document = {
            "status": NotificationStatus.ACCEPTED,
            "wake_at": {"$exists": True},
            "restored_at": {"$exists": False},
            "$or": [{"send_at": None}, {"send_at": {"$lte": now}}],
        }
        return await self._change("notifications", unplanned, {"$set": {"restored_at": now}})

    async def hold_deliveries(self, now: datetime, limit: int) -> int:
        held = 0
        # What is scheduled for later than now cannot have been sent.
        for status in ({"$in": UNDER_WAY}, DeliveryStatus.SCHEDULED):
            query: Document = {"status": status}
            if status == DeliveryStatus.SCHEDULED:
                query["wake_at"] = {"$lte": now}
            while held < limit:
                found = self._mongo["deliveries"].find(query, {"_id": 1}, limit=BATCH)
                ids = [one["_id"] for one in await found.to_list(None)]
                if not ids:
                    break
                held += await self._change("deliveries", {"_id": {"$in": ids}, **query}, _held(now))
        return held

    async def forget_firings(self, now: datetime) -> tuple[int, int]:
        await self._change("jobs", {}, {"$set": {"since": now}})
        ended: Document = {"finished_at": now, "lease_until": None}
        missed = await self._change(
            "job_runs", {"status": RunStatus.REQUESTED}, {"$set": {**ended, "status": RunStatus.MISSED}}
        )
        failed = await self._change(
            "job_runs",
            {"status": RunStatus.RUNNING},
            {"$set": {**ended, "status": RunStatus.FAILED, "errors": ["the database was restored from a backup"]}},
        )
        requests = await self._change(
            "job_requests", {"wake_at": {"$exists": True}}, {"$unset": {"wake_at": "", "request": "", "taken_by": ""}}
        )
        return missed + failed, requests

    async def _change(self, name: str, query: Document, change: Document | list[Document]) -> int:
        result = await persistently(partial(_update, self._mongo[name], query, change), self._mongo)
        return int(result.modified_count)


async def _update(collection: Collection, query: Document, change: Document | list[Document]) -> Any:
    return await collection.update_many(query, change)


def _held(now: datetime) -> list[Document]:
    """The update that ends one for a person; its attempt under way, if any, may have been made."""
    attempt: Document = {
        **{name: f"$attempt.{name}" for name in ("number", "provider", "sender")},
        "outcome": AttemptState.UNKNOWN.value,
        "code": None,
        "error": {"$literal": RESTORED},
        "provider_message_id": None,
        "started_at": {"$ifNull": ["$attempt.started_at", None]},
        "finished_at": now,
    }
    under_way: Document = {"$cond": [{"$eq": [{"$type": "$attempt"}, "object"]}, [attempt], []]}
    revision: Document = {"$add": ["$revision", 1]}
    entry = {"at": now, "status": DeliveryStatus.UNKNOWN, "cause": {"$literal": RESTORED}, "revision": revision}
    return [
        {
            "$set": {
                "status": DeliveryStatus.UNKNOWN,
                "reason": {"$literal": RESTORED},
                "code": "UNKNOWN",
                "called_off": {"$literal": RESTORED},
                "attempts": {"$concatArrays": ["$attempts", under_way]},
                "attempt": None,
                "dead_at": now,
                "timeline": {"$concatArrays": ["$timeline", [entry]]},
                "revision": revision,
                "announce_at": {"$min": ["$announce_at", now]},  # the dispatcher's sweeper tells others
            }
        },
        {"$unset": ["lane", "wake_at", "proof_at"]},
    ]
