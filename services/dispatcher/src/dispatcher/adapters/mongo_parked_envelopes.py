"""Parked envelopes in MongoDB."""

from dataclasses import asdict

from common.mongo.connection import Collection, Document, DuplicateKeyError
from dispatcher.application.park_envelope import ParkedEnvelope

_OVER = ("replayed_at", "replayed_by", "discarded_at", "discarded_by")
_EARLIER_KEPT = 20


class MongoParkedEnvelopes:
    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def add(self, envelope: ParkedEnvelope) -> None:
        document = asdict(envelope)
        identity = document.pop("identity")
        if not await self._added(identity, document):
            await self._added(f"{identity}~{envelope.digest}", document)

    async def _added(self, identity: str, document: Document) -> bool:
        """Whether it is there and open now; `False` when another body that is open has the identity."""
        alike = {"_id": identity, "digest": document["digest"]}
        try:
            added = await self._collection.update_one(alike, {"$setOnInsert": document}, upsert=True)
        except DuplicateKeyError:
            known = False
        else:
            if added.upserted_id is not None:
                return True
            known = True
        over = {"$or": [{"replayed_at": {"$exists": True}}, {"discarded_at": {"$exists": True}}]}
        reopened = await self._collection.update_one({"_id": identity, **over}, _reopened(document))
        return known or reopened.modified_count == 1


def _reopened(document: Document) -> list[Document]:
    """As if it were new, but for what became of it before. Whoever replays it now closes it no more."""
    before = {name: f"${name}" for name in ("parked_at", "reason", *_OVER)}
    earlier = {"$concatArrays": [{"$ifNull": ["$earlier", []]}, [before]]}
    as_new = {name: {"$literal": value} for name, value in document.items()}
    return [
        {"$set": {**as_new, "earlier": {"$slice": [earlier, -_EARLIER_KEPT]}}},
        {"$unset": [*_OVER, "replaying_until"]},
    ]
