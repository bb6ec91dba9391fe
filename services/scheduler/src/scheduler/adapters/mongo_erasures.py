"""Erasures in MongoDB."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from common.contracts.documents import ErasedPerson, ErasureDocument
from common.contracts.vocabulary import ErasureStatus
from common.mongo.connection import Document, Mongo, ReturnDocument
from common.mongo.personal import GONE, HOLDINGS


class MongoErasures:
    def __init__(self, mongo: Mongo) -> None:
        self._erasures = mongo["erasures"]

    async def claim(self, claim: str, now: datetime, until: datetime) -> ErasureDocument | None:
        taken = await self._erasures.find_one_and_update(
            {"wake_at": {"$lte": now}},
            [
                {
                    "$set": {
                        "status": ErasureStatus.RUNNING.value,
                        "claim": claim,
                        "wake_at": until,
                        "started_at": {"$ifNull": ["$started_at", now]},
                    }
                }
            ],
            sort=[("wake_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return cast("ErasureDocument | None", taken)

    async def found(self, erasure_id: str, claim: str, person: ErasedPerson) -> bool:
        return await self._update(erasure_id, claim, {"$set": {"person": person}})

    async def renew(self, erasure_id: str, claim: str, until: datetime, counted: Mapping[str, int]) -> bool:
        more = {f"counts.{name}": number for name, number in counted.items()}
        return await self._update(erasure_id, claim, {"$set": {"wake_at": until}, **({"$inc": more} if more else {})})

    async def wait(self, erasure_id: str, claim: str, until: datetime, waits_for: str) -> bool:
        return await self._update(erasure_id, claim, {"$set": {"wake_at": until, "waits_for": waits_for}})

    async def finish(self, erasure_id: str, claim: str, now: datetime, counts: Mapping[str, int]) -> None:
        done = {"status": ErasureStatus.DONE, "finished_at": now, "waits_for": None}
        done |= {f"counts.{name}": number for name, number in counts.items()}
        theirs = [name for name, value in HOLDINGS["erasures"].emptied.items() if value is GONE]
        over = {"$set": done, "$unset": dict.fromkeys((*theirs, "wake_at", "claim"), "")}
        await self._erasures.update_one({"_id": erasure_id, "claim": claim}, over)

    async def _update(self, erasure_id: str, claim: str, update: Document) -> bool:
        return (await self._erasures.update_one({"_id": erasure_id, "claim": claim}, update)).matched_count == 1
