"""Parked envelopes in MongoDB, where the dispatcher stores them."""

from datetime import datetime

from api_gateway.application.replay_envelopes import ParkedEnvelope
from common.mongo.connection import Document, Mongo

_KEPT_BYTES: Document = {"$strLenBytes": "$body"}
_FREED: Document = {"$unset": {"replaying_until": ""}}


class MongoParkedEnvelopes:
    def __init__(self, mongo: Mongo) -> None:
        self._envelopes = mongo["parked_envelopes"]

    async def page(self, queue: str | None, before: tuple[datetime, str] | None, limit: int) -> list[ParkedEnvelope]:
        listed = {name: 1 for name in ParkedEnvelope.__dataclass_fields__ if name != "body"} | {
            "kept_bytes": _KEPT_BYTES
        }
        found = (
            self._envelopes.find(selected(queue, before), listed).sort([("parked_at", -1), ("_id", -1)]).limit(limit)
        )
        return [_envelope(document) async for document in found]

    async def get(self, envelope_id: str) -> ParkedEnvelope | None:
        found = await self._envelopes.find_one({"_id": envelope_id})
        return None if found is None else _envelope(found)

    async def claim(self, envelope: ParkedEnvelope, *, now: datetime, until: datetime) -> bool:
        as_read = {"replays": envelope.replays or None, "discarded_at": envelope.discarded_at}  # none is not there
        result = await self._envelopes.update_one(
            {"_id": envelope.id, **as_read, **_free(now)}, {"$set": {"replaying_until": until}}
        )
        return result.modified_count == 1

    async def release(self, envelope_id: str) -> None:
        await self._envelopes.update_one({"_id": envelope_id}, _FREED)

    async def replayed(self, envelope_id: str, *, claimed_until: datetime, by: str, at: datetime) -> None:
        await self._envelopes.update_one(
            {"_id": envelope_id, "replaying_until": claimed_until},
            {"$set": {"replayed_at": at, "replayed_by": by}, "$inc": {"replays": 1}, **_FREED},
        )

    async def discarded(self, envelope_id: str, *, by: str, at: datetime) -> bool:
        result = await self._envelopes.update_one(
            {"_id": envelope_id, "replayed_at": {"$exists": False}, "discarded_at": {"$exists": False}, **_free(at)},
            {"$set": {"discarded_at": at, "discarded_by": by}},
        )
        return result.modified_count == 1


def _free(now: datetime) -> Document:
    """Nobody replays it."""
    return {"$or": [{"replaying_until": {"$exists": False}}, {"replaying_until": {"$lte": now}}]}


def selected(queue: str | None, before: tuple[datetime, str] | None) -> Document:
    """The MongoDB query of a page."""
    query: Document = {} if queue is None else {"queue": queue}
    if before is not None:
        at, identity = before
        query |= {"parked_at": {"$lte": at}, "$or": [{"parked_at": {"$lt": at}}, {"_id": {"$lt": identity}}]}
    return query


def _envelope(document: Document) -> ParkedEnvelope:
    known = ParkedEnvelope.__dataclass_fields__
    fields = {name: value for name, value in document.items() if name in known}
    body = fields.pop("body", "")
    return ParkedEnvelope(id=document["_id"], body=body, **({"kept_bytes": len(body.encode())} | fields))
