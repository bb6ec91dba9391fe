"""Senders in MongoDB."""

from typing import cast

from common.contracts.documents import Circuit, SenderDocument
from common.mongo.connection import Collection
from dispatcher.domain import circuit


class MongoSenders:
    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def all(self) -> list[SenderDocument]:
        cursor = self._collection.find({"gateway_seen_at": {"$exists": True}}, {"gate": 0})
        return cast("list[SenderDocument]", await cursor.to_list(None))

    async def with_gates(self) -> list[SenderDocument]:
        return cast(
            "list[SenderDocument]", await self._collection.find({"gateway_seen_at": {"$exists": True}}).to_list(None)
        )

    async def circuit(self, sender: str) -> Circuit | None:
        document = await self._collection.find_one({"_id": sender}, {"circuit": 1})
        if document is None:
            return None
        return cast("Circuit", document["circuit"]) if document.get("circuit") else circuit.closed()

    async def save_circuit(self, sender: str, circuit: Circuit) -> bool:
        revision = circuit["revision"]
        unchanged = {"$in": [0, None]} if revision == 0 else revision
        result = await self._collection.update_one(
            {"_id": sender, "circuit.revision": unchanged}, {"$set": {"circuit": {**circuit, "revision": revision + 1}}}
        )
        return result.modified_count == 1
