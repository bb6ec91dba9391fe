"""The audit log in MongoDB."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from api_gateway.adapters.grouped import persistently
from api_gateway.adapters.mongo_notifications import insert_once
from api_gateway.application.ports import AuditEntry, AuditSelection
from api_gateway.domain.audit import Outcome
from common.mongo.connection import Document, Mongo


class MongoAuditLog:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._entries = mongo["audit_log"]

    async def add(self, entry: AuditEntry) -> None:
        document = asdict(entry)
        document["_id"] = document.pop("id")
        await persistently(lambda: insert_once(self._entries, [document]), self._mongo)

    async def settle(self, entry_id: str, outcome: Outcome, after: Mapping[str, Any] | None) -> None:
        settled = {"$set": {"outcome": outcome.value, "after": after}}
        await persistently(lambda: self._entries.update_one({"_id": entry_id}, settled), self._mongo)

    async def page(self, selection: AuditSelection) -> list[AuditEntry]:
        cursor = self._entries.find(selected(selection)).sort("_id", -1).limit(selection.limit)
        return [_entry(document) async for document in cursor]


def selected(selection: AuditSelection) -> Document:
    """The MongoDB query of a selection; an entry's identity begins with its moment."""
    lower = ["aud_", *([] if selection.since is None else [_identity_at(selection.since.timestamp())])]
    upper = ["aud_g", *([] if selection.until is None else [_identity_at(selection.until.timestamp())])]
    if selection.before is not None:
        upper.append(selection.before)
    query: Document = {"_id": {"$gte": max(lower), "$lt": min(upper)}}
    for name, value in (("actor", selection.actor), ("action", selection.action), ("targets", selection.target)):
        if value is not None:
            query[name] = value
    return query


def _identity_at(seconds: float) -> str:
    return f"aud_{min(max(int(seconds * 1000), 0), 16**12 - 1):012x}"


def _entry(document: Document) -> AuditEntry:
    fields = {name: value for name, value in document.items() if name != "_id"}
    return AuditEntry(id=document["_id"], **(fields | {"outcome": Outcome(document["outcome"])}))
