"""Which delivery tells somebody something, in MongoDB: a document's identity is what is told, so only one does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from common.contracts.vocabulary import DeliveryStatus
from common.mongo.connection import DUPLICATE_KEY, BulkWriteError, Document, InsertOne, Mongo, UpdateOne
from dispatcher.domain.repeats import NOT_TOLD, OnlyOnce


class MongoRepeats:
    def __init__(self, mongo: Mongo) -> None:
        self._keys = mongo["dedupe_keys"]
        self._deliveries = mongo["deliveries"]

    async def among(self, wanted: Sequence[OnlyOnce]) -> dict[str, datetime]:
        taken = await self._insert(wanted)
        if not taken:
            return {}
        holders = await self._holders(taken)
        if any(one.key not in holders for one in taken):  # forgotten just now
            return await self.among(wanted)
        lapsed = await self._lapsed(taken, holders)
        if lapsed:
            # Of several that want the same one has it now; who was not it finds out below.
            await self._keys.bulk_write([_taken_over(one, holders[one.key]) for one in lapsed], ordered=False)
            holders = await self._holders(taken)
        others = _of_others(taken, holders)
        told = {one.delivery_id: holders[one.key]["at"] for one in others if not _far_ahead(one, holders[one.key])}
        # What is told only long after keeps its key; those before it have one of their own.
        before = [
            replace(one, key=f"{one.key}<{holders[one.key]['delivery_id']}")
            for one in others
            if _far_ahead(one, holders[one.key])
        ]
        return told | (await self.among(before) if before else {})

    async def _insert(self, wanted: Sequence[OnlyOnce]) -> list[OnlyOnce]:
        """Those whose key was there."""
        try:
            await self._keys.bulk_write([InsertOne({"_id": one.key, **_held(one)}) for one in wanted], ordered=False)
        except BulkWriteError as error:
            refused = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(one["code"] != DUPLICATE_KEY for one in refused):
                raise
            return [wanted[one["index"]] for one in refused]
        return []

    async def _holders(self, wanted: Iterable[OnlyOnce]) -> dict[str, Document]:
        keys = list({one.key for one in wanted})
        return {document["_id"]: document async for document in self._keys.find({"_id": {"$in": keys}})}

    async def _lapsed(self, wanted: Iterable[OnlyOnce], holders: Mapping[str, Document]) -> list[OnlyOnce]:
        """Those whose key is held by what told it long ago, or came to nothing."""
        of_others = _of_others(wanted, holders)
        ids = list({holders[one.key]["delivery_id"] for one in of_others})
        nothing = [
            {"status": {"$in": list(NOT_TOLD)}},
            {"status": DeliveryStatus.SENDING, "called_off": {"$exists": True}},
        ]
        ended = self._deliveries.find({"_id": {"$in": ids}, "$or": nothing}, {"_id": 1})
        untold = {document["_id"] async for document in ended}
        return [
            one for one in of_others if holders[one.key]["at"] <= one.since or holders[one.key]["delivery_id"] in untold
        ]


def _of_others(wanted: Iterable[OnlyOnce], holders: Mapping[str, Document]) -> list[OnlyOnce]:
    """Those that another delivery tells."""
    return [one for one in wanted if one.key in holders and holders[one.key]["delivery_id"] != one.delivery_id]


def _far_ahead(one: OnlyOnce, holder: Document) -> bool:
    return bool(holder["at"] >= one.until)


def _held(one: OnlyOnce) -> Document:
    return {"delivery_id": one.delivery_id, "at": one.at, "forget_at": one.until}


def _taken_over(one: OnlyOnce, holder: Document) -> UpdateOne:
    return UpdateOne({"_id": one.key, "delivery_id": holder["delivery_id"]}, {"$set": _held(one)})
