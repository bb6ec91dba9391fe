"""Alerts in MongoDB; that of a cause one is active at most, an index keeps."""

from datetime import datetime
from typing import cast

from common.contracts.documents import AlertDocument
from common.contracts.vocabulary import AlertStatus
from common.mongo.connection import Collection, Document, DuplicateKeyError

AT_ONCE = 200


class MongoAlerts:
    def __init__(self, collection: Collection) -> None:
        self._alerts = collection

    async def active(self) -> list[AlertDocument]:
        return await self._found({"status": AlertStatus.ACTIVE})

    async def untold(self) -> list[AlertDocument]:
        return await self._found({"untold": {"$exists": True}}, limit=AT_ONCE)

    async def last_cleared(self, cause: str) -> datetime | None:
        found = await self._alerts.find_one({"cause": cause}, {"cleared_at": 1}, sort=[("_id", -1)])
        cleared_at: datetime | None = found["cleared_at"] if found else None
        return cleared_at

    async def add(self, alert: AlertDocument) -> bool:
        try:
            await self._alerts.insert_one(dict(alert))
        except DuplicateKeyError:
            return False
        return True

    async def save(self, alert: AlertDocument) -> AlertDocument | None:
        written: AlertDocument = {**alert, "revision": alert["revision"] + 1}
        result = await self._alerts.replace_one({"_id": alert["_id"], "revision": alert["revision"]}, dict(written))
        return written if result.modified_count else None

    async def _found(self, query: Document, *, limit: int = 0) -> list[AlertDocument]:
        return cast("list[AlertDocument]", await self._alerts.find(query).sort("_id", 1).limit(limit).to_list(None))
