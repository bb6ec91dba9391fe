"""Parked envelopes in MongoDB."""

from dataclasses import asdict

from common.mongo.connection import Collection
from dispatcher.application.park_envelope import ParkedEnvelope


class MongoParkedEnvelopes:
    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def add(self, envelope: ParkedEnvelope) -> None:
        document = asdict(envelope)
        identity = document.pop("identity")
        await self._collection.update_one({"_id": identity}, {"$setOnInsert": document}, upsert=True)
