"""Counting everything that was accepted, and where it is now, at one moment."""

from typing import Any

from api_gateway.application.ports import Conservation
from common.contracts.vocabulary import NotificationStatus
from common.mongo.connection import Document, Mongo

_ACCEPTED: list[Document] = [{"$group": {"_id": None, "recipients": {"$sum": "$recipients"}}}]
_DELIVERIES: list[Document] = [
    {"$match": {"status": {"$gt": ""}}},
    {"$group": {"_id": "$status", "count": {"$sum": 1}}},
]


def _without_deliveries(status: NotificationStatus) -> list[Document]:
    """Recipients of notifications in a status that have no delivery."""
    return [
        {"$match": {"status": status}},
        {
            "$lookup": {
                "from": "deliveries",
                "localField": "_id",
                "foreignField": "notification_id",
                "pipeline": [{"$count": "count"}],
                "as": "planned",
            }
        },
        {
            "$group": {
                "_id": None,
                "missing": {"$sum": {"$subtract": ["$recipients", {"$ifNull": [{"$first": "$planned.count"}, 0]}]}},
            }
        },
    ]


class MongoLedger:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def conservation(self) -> Conservation:
        notifications, deliveries = self._mongo["notifications"], self._mongo["deliveries"]
        async with await self._mongo.client.start_session(snapshot=True) as moment:

            async def first(pipeline: list[Document], field: str) -> int:
                rows: list[Any] = await notifications.aggregate(pipeline, session=moment).to_list(1)
                return int(rows[0][field]) if rows else 0

            return Conservation(
                accepted=await first(_ACCEPTED, "recipients"),
                deliveries={
                    row["_id"]: row["count"] async for row in deliveries.aggregate(_DELIVERIES, session=moment)
                },
                not_yet_planned=await first(_without_deliveries(NotificationStatus.ACCEPTED), "missing"),
                cancelled_before_planning=await first(_without_deliveries(NotificationStatus.CANCELLED), "missing"),
            )
