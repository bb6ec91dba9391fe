"""WhatsApp groups in MongoDB, as a gateway finds them."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress

from common.catalogue.definitions import GroupPurpose
from common.kernel.clock import Clock
from common.mongo.connection import Document, DuplicateKeyError, Mongo
from gateway.domain.groups import FoundGroup


class MongoGroups:
    """A group is the one that is known by its name already, or a new one that is in no audience before a person gives
    it a purpose.
    """

    def __init__(self, mongo: Mongo, *, provider: str, clock: Clock) -> None:
        self._groups = mongo["groups"]
        self._lookups = mongo["group_lookups"]
        self._provider = provider
        self._clock = clock

    async def ask(self, sender: str) -> None:
        await self._lookups.update_one({"_id": sender}, {"$set": {"put_at": self._clock.now()}})

    async def found(self, sender: str, groups: Sequence[FoundGroup]) -> None:
        for group in groups:
            if not await self._named(group):
                with suppress(DuplicateKeyError):  # another process was first, with the same name of it
                    await self._groups.insert_one(self._new(group))
        await self._over(sender, {"state": "done", "found": len(groups), "error": None})

    async def not_found(self, sender: str, error: str) -> None:
        await self._over(sender, {"state": "failed", "found": 0, "error": error})

    async def _named(self, group: FoundGroup) -> bool:
        """Note what this provider calls a group that is there, unless that is known; whether it is there."""
        name = f"group_ids.{self._provider}"
        kept = {"$ifNull": [f"${name}", {"$literal": group.identity}]}
        result = await self._groups.update_one({"known_as": group.identity}, [{"$set": {name: kept}}])
        return result.matched_count == 1

    def _new(self, group: FoundGroup) -> Document:
        named = hashlib.blake2b(group.identity.encode(), digest_size=12).hexdigest()
        return {
            "_id": f"grp_{named}",
            "name": group.name,
            "purpose": GroupPurpose.OTHER.value,
            "group_ids": {self._provider: group.identity},
            "known_as": [group.identity],
            "active": True,
            "created_by": f"sync of {self._provider}",
            "created_at": self._clock.now(),
        }

    async def _over(self, sender: str, result: dict[str, object]) -> None:
        await self._lookups.update_one({"_id": sender}, {"$set": {**result, "finished_at": self._clock.now()}})
