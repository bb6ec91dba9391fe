"""Starting attempts in MongoDB: one compare-and-set for a whole envelope."""

from datetime import timedelta
from typing import Any

from common.contracts.events import AttemptsRequested
from common.contracts.vocabulary import AttemptState
from common.kernel.failures import Transient
from common.mongo.connection import UNAVAILABLE, Collection
from gateway.application.ports import StartedElsewhere


class MongoDeliveries:
    """Writes `attempt` and `wake_at` of delivery documents and nothing else.

    `answer_within`: the longest time from the start of an attempt until its outcome is known.
    """

    def __init__(self, collection: Collection, *, answer_within: timedelta) -> None:
        self._collection = collection
        self._answer_milliseconds = round(answer_within.total_seconds() * 1000)

    async def start(self, asked: AttemptsRequested, token: str) -> set[str]:
        ids = [request.delivery_id for request in asked.attempts]
        try:
            result = await self._collection.update_many(_requested(asked, ids), self._started(token))
            if result.modified_count == len(ids):
                return set(ids)
            ours = self._collection.find({"_id": {"$in": ids}, "attempt.started_by": token}, {"_id": 1})
            return {document["_id"] async for document in ours}
        except UNAVAILABLE as error:
            raise Transient("MongoDB did not say which attempts were started") from error

    async def started_elsewhere(self, asked: AttemptsRequested, token: str) -> list[StartedElsewhere]:
        wanted = {
            "_id": {"$in": [request.delivery_id for request in asked.attempts]},
            "attempt.claim": asked.claim,
            "attempt.state": AttemptState.STARTED.value,
            "attempt.started_by": {"$ne": token},
        }
        try:
            return [
                StartedElsewhere(
                    document["_id"],
                    document["attempt"]["number"],
                    document["attempt"].get("started_by", ""),
                    document["attempt"].get("started_at"),
                )
                async for document in self._collection.find(wanted, {"attempt": 1})
            ]
        except UNAVAILABLE as error:
            raise Transient("MongoDB did not say who started the attempts") from error

    def _started(self, token: str) -> list[dict[str, Any]]:
        return [
            {
                "$set": {
                    "attempt.state": AttemptState.STARTED.value,
                    "attempt.started_by": token,
                    "attempt.started_at": "$$NOW",
                    "wake_at": {"$add": ["$$NOW", self._answer_milliseconds]},
                    "revision": {"$add": ["$revision", 1]},
                }
            }
        ]


def _requested(asked: AttemptsRequested, ids: list[str]) -> dict[str, Any]:
    """Still waiting to be started, under this claim; the deadline is judged by the clock that wrote it."""
    return {
        "_id": {"$in": ids},
        "attempt.claim": asked.claim,
        "attempt.state": AttemptState.REQUESTED.value,
        "$expr": {"$gt": ["$attempt.deadline", "$$NOW"]},
    }
