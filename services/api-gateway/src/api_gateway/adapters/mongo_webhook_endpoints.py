"""Webhook endpoints and what they are to be told, in MongoDB."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from api_gateway.adapters.grouped import Grouped
from api_gateway.adapters.mongo_notifications import insert_once
from api_gateway.domain.webhook_endpoint import MOST_SECRETS, Alert, Endpoint, Message, MessageStatus, Secret
from common.mongo.connection import Document, Mongo


class MongoEndpoints:
    def __init__(self, mongo: Mongo) -> None:
        self._endpoints = mongo["webhook_endpoints"]
        self._messages = mongo["webhook_messages"]

    async def add(self, endpoint: Endpoint) -> None:
        await self._endpoints.replace_one({"_id": endpoint.id}, _stored(endpoint), upsert=True)

    async def all(self) -> list[Endpoint]:
        return [_endpoint(document) async for document in self._endpoints.find().sort("_id", -1)]

    async def get(self, endpoint_id: str) -> Endpoint | None:
        found = await self._endpoints.find_one({"_id": endpoint_id})
        return None if found is None else _endpoint(found)

    async def change(self, endpoint_id: str, fields: Mapping[str, Any]) -> None:
        await self._endpoints.update_one({"_id": endpoint_id}, {"$set": dict(fields)})

    async def add_secret(
        self, endpoint_id: str, secret: Secret, *, rotation: str, old_until: datetime, now: datetime
    ) -> None:
        """In one write; a secret whose end is set already keeps it, and one whose end is past goes."""
        endless = {"$eq": [{"$ifNull": ["$$one.expires_at", None]}, None]}
        used = {"$or": [endless, {"$gt": ["$$one.expires_at", now]}]}
        old = {"$filter": {"input": "$secrets", "as": "one", "cond": used}}
        ending = {"$mergeObjects": ["$$one", {"expires_at": {"$ifNull": ["$$one.expires_at", old_until]}}]}
        ended = {"$map": {"input": old, "as": "one", "in": ending}}
        secrets = {"$slice": [{"$concatArrays": [[asdict(secret)], ended]}, MOST_SECRETS]}
        await self._endpoints.update_one(
            {"_id": endpoint_id, "rotation": {"$ne": rotation}},
            [{"$set": {"secrets": secrets, "rotated_at": now, "rotation": rotation}}],
        )

    async def disable(self, endpoint_id: str, alert: Alert) -> bool:
        result = await self._endpoints.update_one(
            {"_id": endpoint_id, "enabled": True},
            {"$set": {"enabled": False, "disabled_reason": alert.reason, "alert": asdict(alert)}},
        )
        return result.modified_count == 1

    async def claim_alert(self, endpoint_id: str, alert: Alert, until: datetime) -> bool:
        result = await self._endpoints.update_one(
            {"_id": endpoint_id, "alert.at": alert.at, "alert.due": alert.due}, {"$set": {"alert.due": until}}
        )
        return result.modified_count == 1

    async def alerted(self, endpoint_id: str, alert: Alert) -> None:
        await self._endpoints.update_one({"_id": endpoint_id, "alert.at": alert.at}, {"$unset": {"alert": ""}})

    async def remove(self, endpoint_id: str) -> None:
        await self._endpoints.delete_one({"_id": endpoint_id})
        await self._messages.delete_many({"endpoint_id": endpoint_id})


class MongoMessages:
    def __init__(self, mongo: Mongo) -> None:
        self._messages = mongo["webhook_messages"]
        self.inserts: Grouped[Document, None] = Grouped(self._insert, mongo)

    async def add(self, messages: Sequence[Message]) -> None:
        for put in [self.inserts.put(_stored(message)) for message in messages]:
            await put

    async def due(self, endpoint_id: str, now: datetime, limit: int) -> list[Message]:
        query = {"endpoint_id": endpoint_id, "status": MessageStatus.PENDING, "wake_at": {"$lte": now}}
        found = self._messages.find(query).sort("wake_at", 1).limit(limit)
        return [_message(document) async for document in found]

    async def claim(self, message: Message, *, mark: str, until: datetime) -> bool:
        result = await self._messages.update_one(
            {"_id": message.id, "status": MessageStatus.PENDING, "wake_at": message.wake_at},
            {"$set": {"wake_at": until, "mark": mark}, "$inc": {"calls": 1}},
        )
        return result.modified_count == 1

    async def settle(self, message_id: str, mark: str, fields: Mapping[str, Any]) -> None:
        await self._messages.update_one(
            {"_id": message_id, "mark": mark}, {"$set": dict(fields), "$unset": {"mark": ""}}
        )

    async def page(
        self, endpoint_id: str, status: MessageStatus | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[Message]:
        query: Document = {"endpoint_id": endpoint_id} | ({} if status is None else {"status": status})
        if before is not None:
            at, identity = before
            query |= {"created_at": {"$lte": at}, "$or": [{"created_at": {"$lt": at}}, {"_id": {"$lt": identity}}]}
        found = self._messages.find(query).sort([("created_at", -1), ("_id", -1)]).limit(limit)
        return [_message(document) async for document in found]

    async def get(self, endpoint_id: str, message_id: str) -> Message | None:
        found = await self._messages.find_one({"_id": message_id, "endpoint_id": endpoint_id})
        return None if found is None else _message(found)

    async def again(self, message_id: str, now: datetime) -> bool:
        result = await self._messages.update_one(
            {"_id": message_id, "mark": {"$exists": False}},
            {"$set": {"status": MessageStatus.PENDING, "wake_at": now, "calls": 0}},
        )
        return result.matched_count == 1

    async def _insert(self, documents: Sequence[Document]) -> Sequence[None]:
        await insert_once(self._messages, documents)
        return [None] * len(documents)


def _stored(thing: Endpoint | Message) -> Document:
    document = asdict(thing)
    document["_id"] = document.pop("id")
    return document


def _endpoint(document: Document) -> Endpoint:
    fields = {name: document[name] for name in Endpoint.__dataclass_fields__ if name in document}
    secrets = tuple(Secret(one["value"], one.get("expires_at")) for one in fields.pop("secrets"))
    alert = fields.pop("alert", None)
    return Endpoint(
        id=document["_id"],
        secrets=secrets,
        alert=None if alert is None else Alert(**alert),
        **(fields | {"events": tuple(fields["events"])}),
    )


def _message(document: Document) -> Message:
    fields = {name: document[name] for name in Message.__dataclass_fields__ if name in document}
    return Message(id=document["_id"], **(fields | {"status": MessageStatus(fields["status"])}))
