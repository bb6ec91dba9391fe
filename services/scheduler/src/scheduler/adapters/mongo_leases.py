"""A lease in MongoDB."""

from datetime import timedelta

from common.kernel.clock import Clock
from common.mongo.connection import Collection, DuplicateKeyError


class MongoLease:
    """`leases`: `_id` is what for, with who has it (`holder`) and until when (`until`)."""

    def __init__(self, collection: Collection, name: str, *, holder: str, span: timedelta, clock: Clock) -> None:
        self._leases = collection
        self._name = name
        self._holder = holder
        self._span = span
        self._clock = clock

    async def held(self) -> bool:
        now = self._clock.now()
        try:
            await self._leases.update_one(
                {"_id": self._name, "$or": [{"holder": self._holder}, {"until": {"$lte": now}}]},
                {"$set": {"holder": self._holder, "until": now + self._span}},
                upsert=True,
            )
        except DuplicateKeyError:
            return False
        return True
