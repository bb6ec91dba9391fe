"""Requests that came before what they speak of, in MongoDB."""

import json
from dataclasses import asdict
from datetime import datetime

from api_gateway.application.accept_request import EarlyRequest, Waiting
from common.kernel.identity import new_id
from common.mongo.connection import Document, Mongo


class MongoEarlyRequests:
    """A process puts its own mark on what it takes, so that several do not all publish the same."""

    def __init__(self, mongo: Mongo) -> None:
        self._requests = mongo["early_requests"]

    async def first_at(self, event_id: str) -> datetime | None:
        found = await self._requests.find_one({"_id": event_id}, {"first_at": 1})
        first_at = None if found is None else found.get("first_at")
        return first_at if isinstance(first_at, datetime) else None

    async def keep(self, request: EarlyRequest, waiting: Waiting) -> None:
        document = asdict(request) | asdict(waiting)
        identity = document.pop("event_id")
        await self._requests.replace_one({"_id": identity}, document, upsert=True)

    async def drop(self, event_id: str) -> None:
        await self._requests.delete_one({"_id": event_id})

    async def give_up(self, event_id: str, published: int) -> None:
        await self._requests.delete_one({"_id": event_id, "published": {"$gte": published}})

    async def due(self, now: datetime, lease_until: datetime, limit: int) -> list[EarlyRequest]:
        overdue = {"due_at": {"$lte": now}}
        ids = [one["_id"] async for one in self._requests.find(overdue, {"_id": 1}).sort("due_at", 1).limit(limit)]
        if not ids:
            return []
        mark = new_id("sweep")
        await self._requests.update_many(
            {"_id": {"$in": ids}, **overdue},
            {"$set": {"due_at": lease_until, "taken_by": mark}, "$inc": {"published": 1}},
        )
        return [_request(one) async for one in self._requests.find({"_id": {"$in": ids}, "taken_by": mark})]


def _request(document: Document) -> EarlyRequest:
    """Whatever there is of it: what cannot be read is published whole, and parked by whoever reads it."""
    body, replay = document.get("body"), document.get("replay")
    return EarlyRequest(
        str(document["_id"]),
        str(document.get("message_id") or document["_id"]),
        None if replay is None else str(replay),
        body if isinstance(body, str) else json.dumps(document, default=str),
        document["published"],
        document.get("traceparent"),
    )
