"""Requests that came before what they speak of, in MongoDB."""

from dataclasses import asdict
from datetime import datetime

from api_gateway.application.accept_request import EarlyRequest
from common.mongo.connection import Document, Mongo, UpdateOne


class MongoEarlyRequests:
    def __init__(self, mongo: Mongo) -> None:
        self._requests = mongo["early_requests"]

    async def get(self, event_id: str) -> EarlyRequest | None:
        found = await self._requests.find_one({"_id": event_id})
        return None if found is None else _request(found)

    async def keep(self, request: EarlyRequest) -> None:
        fields = asdict(request)
        first = {name: fields.pop(name) for name in ("event_id", "first_at", "deadline")}
        del first["event_id"]
        await self._requests.update_one({"_id": request.event_id}, {"$set": fields, "$setOnInsert": first}, upsert=True)

    async def drop(self, event_id: str) -> None:
        await self._requests.delete_one({"_id": event_id})

    async def due(self, now: datetime, lease_until: datetime, limit: int) -> list[EarlyRequest]:
        """Another process may find the same ones: publishing one twice is harmless."""
        found = await self._requests.find({"due_at": {"$lte": now}}).sort("due_at", 1).limit(limit).to_list(limit)
        if found:
            leased = {"$set": {"due_at": lease_until}}
            await self._requests.bulk_write(
                [UpdateOne({"_id": one["_id"], "due_at": one["due_at"]}, leased) for one in found], ordered=False
            )
        return [_request(one) for one in found]


def _request(document: Document) -> EarlyRequest:
    fields = {
        name: document[name] for name in ("message_id", "replay", "body", "reason", "first_at", "due_at", "deadline")
    }
    return EarlyRequest(event_id=document["_id"], **fields)
