"""Jobs and their runs in MongoDB, as people see them and ask for them."""

from datetime import datetime
from functools import partial
from typing import cast

from api_gateway.adapters.grouped import persistently
from api_gateway.adapters.mongo_notifications import insert_once
from common.contracts.documents import JobDocument, JobRunDocument
from common.mongo.connection import Document, Mongo

_NEWEST_FIRST = [("due_at", -1), ("_id", -1)]


class MongoJobs:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._jobs = mongo["jobs"]
        self._runs = mongo["job_runs"]

    async def all(self) -> list[JobDocument]:
        return cast("list[JobDocument]", await self._jobs.find().sort("_id", 1).to_list(None))

    async def get(self, name: str) -> JobDocument | None:
        return cast("JobDocument | None", await self._jobs.find_one({"_id": name}))

    async def last_run(self, name: str) -> JobRunDocument | None:
        return cast("JobRunDocument | None", await self._runs.find_one({"job": name}, sort=_NEWEST_FIRST))

    async def page(self, name: str, before: tuple[datetime, str] | None, limit: int) -> list[JobRunDocument]:
        found = self._runs.find(selected(name, before), {"lines": 0}).sort(_NEWEST_FIRST).limit(limit)
        return cast("list[JobRunDocument]", await found.to_list(limit))

    async def run(self, run_id: str) -> JobRunDocument | None:
        return cast("JobRunDocument | None", await self._runs.find_one({"_id": run_id}))

    async def ask(self, run: JobRunDocument) -> None:
        await persistently(partial(insert_once, self._runs, [cast("Document", run)]), self._mongo)


def selected(name: str, before: tuple[datetime, str] | None) -> Document:
    """The MongoDB query of a page."""
    query: Document = {"job": name}
    if before is not None:
        at, identity = before
        query |= {"due_at": {"$lte": at}, "$or": [{"due_at": {"$lt": at}}, {"_id": {"$lt": identity}}]}
    return query
