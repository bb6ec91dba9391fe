"""Senders in MongoDB, as people see them and act on them."""

from typing import cast

from common.contracts.documents import SenderDocument
from common.contracts.vocabulary import CircuitState
from common.mongo.connection import Document, Mongo
from common.mongo.gate import MongoGate


class MongoSenders:
    def __init__(self, mongo: Mongo) -> None:
        self._senders = mongo["senders"]
        self._gate = MongoGate(self._senders)

    async def all(self) -> list[SenderDocument]:
        cursor = self._senders.find({"provider": {"$exists": True}}).sort("_id", 1)
        return cast("list[SenderDocument]", await cursor.to_list(None))

    async def get(self, sender_id: str) -> SenderDocument | None:
        found = await self._senders.find_one({"_id": sender_id, "provider": {"$exists": True}})
        return cast("SenderDocument | None", found)

    async def pause(self, sender_id: str, by: str) -> bool:
        result = await self._senders.update_one(
            {"_id": sender_id, "provider": {"$exists": True}}, {"$set": {"paused": True, "paused_by": by}}
        )
        return result.matched_count == 1

    async def resume(self, sender_id: str) -> bool:
        closed: Document = {
            "state": CircuitState.CLOSED.value,
            "reason": None,
            "opened_at": None,
            "retry_at": None,
            "openings": 0,
            "failures_in_row": 0,
            "recent": [],
            # Whoever decides on the circuit as it was before loses.
            "revision": {"$add": [{"$ifNull": ["$circuit.revision", 0]}, 1]},
        }
        result = await self._senders.update_one(
            {"_id": sender_id, "provider": {"$exists": True}},
            [{"$set": {"circuit": closed}}, {"$unset": ["paused", "paused_by"]}],
        )
        return result.matched_count == 1

    async def reset_limits(self, sender_id: str) -> bool:
        return await self._gate.reset(sender_id)
