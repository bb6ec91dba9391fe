"""Alerts in MongoDB, where the scheduler keeps them."""

from typing import cast

from common.contracts.documents import AlertDocument
from common.contracts.vocabulary import AlertStatus
from common.mongo.connection import Document, Mongo


class MongoAlerts:
    def __init__(self, mongo: Mongo) -> None:
        self._alerts = mongo["alerts"]

    async def page(self, status: AlertStatus | None, before: str | None, limit: int) -> list[AlertDocument]:
        found = self._alerts.find(selected(status, before)).sort("_id", -1).limit(limit)
        return cast("list[AlertDocument]", await found.to_list(limit))


def selected(status: AlertStatus | None, before: str | None) -> Document:
    """The MongoDB query of a page."""
    query: Document = {} if status is None else {"status": status.value}
    return query if before is None else {**query, "_id": {"$lt": before}}
