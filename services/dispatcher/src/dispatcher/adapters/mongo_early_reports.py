"""Reports that came before what they are about, in MongoDB."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from common.contracts.events import Report
from common.mongo.connection import Collection, UpdateOne
from dispatcher.application.apply_reports import EarlyReport


class MongoEarlyReports:
    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def keep(self, reports: Sequence[EarlyReport], retry_at: datetime) -> None:
        await self._collection.bulk_write(
            [
                UpdateOne(
                    {"_id": one.identity},
                    {
                        "$setOnInsert": {
                            "provider": one.provider,
                            "report": one.report.model_dump(),
                            "tries": one.tries,
                            "retry_at": retry_at,
                            "expires_at": one.expires_at,
                        }
                    },
                    upsert=True,
                )
                for one in reports
            ],
            ordered=False,
        )

    async def due(self, now: datetime, limit: int) -> list[EarlyReport]:
        cursor = self._collection.find({"retry_at": {"$lte": now}}).sort("retry_at", 1).limit(limit)
        return [
            EarlyReport(
                document["_id"],
                document["provider"],
                Report.model_validate(document["report"]),
                document["tries"],
                document["expires_at"],
            )
            async for document in cursor
        ]

    async def postpone(self, reports: Iterable[tuple[EarlyReport, datetime]]) -> None:
        await self._collection.bulk_write(
            [
                UpdateOne({"_id": one.identity}, {"$set": {"retry_at": retry_at}, "$inc": {"tries": 1}})
                for one, retry_at in reports
            ],
            ordered=False,
        )

    async def forget(self, identities: Sequence[str]) -> None:
        await self._collection.delete_many({"_id": {"$in": list(identities)}})
