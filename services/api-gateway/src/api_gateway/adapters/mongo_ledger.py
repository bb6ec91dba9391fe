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


_LOOKED_FOR: Document = {"$eq": [{"$type": "$audience_query"}, "object"]}
"""An audience found in the directory: its number is a guess until all of it is planned, and more may be found."""


def _counted(status: NotificationStatus) -> list[Document]:
    """Of the notifications in a status: recipients that have no delivery (`missing`), and deliveries beyond the
    recipients it was accepted for (`beyond`).
    """
    difference: Document = {"$subtract": ["$recipients", {"$ifNull": [{"$first": "$planned.count"}, 0]}]}
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
        {"$project": {"difference": difference, "beyond": {"$and": [_LOOKED_FOR, {"$lt": [difference, 0]}]}}},
        {
            "$group": {
                "_id": None,
                "missing": {"$sum": {"$cond": ["$beyond", 0, "$difference"]}},
                "beyond": {"$sum": {"$cond": ["$beyond", {"$abs": "$difference"}, 0]}},
            }
        },
    ]


class MongoLedger:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def conservation(self) -> Conservation:
        notifications, deliveries = self._mongo["notifications"], self._mongo["deliveries"]
        async with await self._mongo.client.start_session(snapshot=True) as moment:

            async def first(pipeline: list[Document]) -> dict[str, int]:
                rows: list[Any] = await notifications.aggregate(pipeline, session=moment).to_list(1)
                return {name: int(value or 0) for name, value in rows[0].items() if name != "_id"} if rows else {}

            accepted = await first(_ACCEPTED)
            unplanned = await first(_counted(NotificationStatus.ACCEPTED))
            cancelled = await first(_counted(NotificationStatus.CANCELLED))
            return Conservation(
                accepted=sum((accepted.get("recipients", 0), unplanned.get("beyond", 0), cancelled.get("beyond", 0))),
                deliveries={
                    row["_id"]: row["count"] async for row in deliveries.aggregate(_DELIVERIES, session=moment)
                },
                not_yet_planned=unplanned.get("missing", 0),
                cancelled_before_planning=cancelled.get("missing", 0),
            )
