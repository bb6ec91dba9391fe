"""Numbers and e-mail addresses of people who were erased, as keyed digests, and when they were.

Who is erased leaves empty rows, which older words about them lose to. That keeps out no row that nobody told before: an
older fact, which waited in a queue or is told again, would make the person anew. It is known by the address it names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.contracts.tellings import Stamp, Telling, microseconds
from common.mongo.connection import Mongo, UpdateOne
from common.mongo.digests import Digests


@dataclass(frozen=True)
class Named:
    """An address a telling names in a field: the telling's place among the others, its row and stamp."""

    place: int
    identity: str
    stamp: Stamp
    field: str
    address: str
    digest: str


class ErasedAddresses:
    """Kept for two years, as the erasures are."""

    def __init__(self, mongo: Mongo) -> None:
        self._erased = mongo["erased_addresses"]
        self._digests = Digests(mongo)

    async def add(self, addresses: Iterable[str], at: datetime) -> None:
        """Doing it again changes nothing; of two erasures of one address the later counts."""
        latest = {"$max": {"erased_at": at}}
        writes = [UpdateOne({"_id": await self._digests.of(one)}, latest, upsert=True) for one in addresses]
        if writes:
            await self._erased.bulk_write(writes, ordered=False)

    async def named_by(self, tellings: Sequence[Telling]) -> list[Named]:
        """Every address that is told."""
        return [
            Named(place, telling.row.id, telling.stamp, field, address, await self._digests.of(address))
            for place, telling in enumerate(tellings)
            for field, address in telling.addresses.items()
        ]

    async def among(self, named: Sequence[Named]) -> Mapping[Named, int]:
        """Those that were told until whoever had them was erased, and when that was, in microseconds since 1970."""
        if not named:
            return {}
        found = self._erased.find({"_id": {"$in": sorted({one.digest for one in named})}})
        until = {one["_id"]: microseconds(one["erased_at"]) async for one in found}
        return {one: until[one.digest] for one in named if one.stamp[0] <= until.get(one.digest, one.stamp[0] - 1)}
