"""Numbers and e-mail addresses of people who were erased, as keyed digests, and when they were.

Who is erased leaves empty rows, which older words about them lose to. That keeps out no row that nobody told before: an
older fact, which waited in a queue or is told again, would make the person anew. It is known by the address it names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

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


@dataclass(frozen=True)
class Until:
    """When an address was last erased, and last erased of whoever had it; in microseconds since 1970. Somebody who was
    erased under another name may have shared it: the others' rows stand.
    """

    moment: int
    of_everybody: int


NEVER = datetime.min.replace(tzinfo=UTC)


class ErasedAddresses:
    """Kept for two years, as the erasures are."""

    def __init__(self, mongo: Mongo) -> None:
        self._erased = mongo["erased_addresses"]
        self._digests = Digests(mongo)

    async def add(self, addresses: Iterable[str], at: datetime, *, of_everybody: bool = True) -> None:
        """Doing it again changes nothing; of two erasures of one address the later counts."""
        latest = {"$max": {"erased_at": at, **({"of_everybody_at": at} if of_everybody else {})}}
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

    async def among(self, named: Sequence[Named]) -> Mapping[Named, Until]:
        """Those that were told until whoever had them was erased, and when that was."""
        if not named:
            return {}
        found = self._erased.find({"_id": {"$in": sorted({one.digest for one in named})}})
        until = {
            one["_id"]: Until(microseconds(one["erased_at"]), microseconds(one.get("of_everybody_at", NEVER)))
            async for one in found
        }
        told = [one for one in named if one.digest in until]
        return {one: until[one.digest] for one in told if one.stamp[0] <= until[one.digest].moment}
