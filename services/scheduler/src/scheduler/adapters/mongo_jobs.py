"""What others may know of the jobs, in MongoDB: `jobs`."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from common.contracts.documents import JobDocument
from common.mongo.connection import Document, DuplicateKeyError, Mongo, ReturnDocument
from scheduler.adapters.mongo_job_runs import reached


class MongoJobs:
    def __init__(self, mongo: Mongo) -> None:
        self._jobs = mongo["jobs"]

    async def known(self, job: JobDocument) -> JobDocument:
        fields = cast("Document", {name: value for name, value in job.items() if name not in {"_id", "since"}})
        as_before = {"_id": job["_id"], "schedule": job["schedule"], "timezone": job["timezone"]}
        with reached():
            try:
                found = await self._jobs.find_one_and_update(
                    as_before,
                    {"$set": fields, "$setOnInsert": {"since": job["since"]}},
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError:  # it is there with another schedule
                found = await self._jobs.find_one_and_update(
                    {"_id": job["_id"]},
                    {"$set": {**fields, "since": job["since"]}},
                    return_document=ReturnDocument.AFTER,
                )
        return cast("JobDocument", found or job)

    async def show_next(self, job: str, schedule: str | None, next_run: datetime | None) -> None:
        with reached():
            await self._jobs.update_one({"_id": job, "schedule": schedule}, {"$set": {"next_run": next_run}})

    async def names(self) -> set[str]:
        with reached():
            return {job["_id"] async for job in self._jobs.find({}, {"_id": 1})}

    async def seen(self, jobs: Sequence[str], now: datetime) -> None:
        with reached():
            await self._jobs.update_many({"_id": {"$in": list(jobs)}}, {"$max": {"seen_at": now}})

    async def forget(self, before: datetime) -> list[str]:
        unseen: Document = {"seen_at": {"$not": {"$gte": before}}}
        with reached():
            found = [job["_id"] async for job in self._jobs.find(unseen, {"_id": 1})]
            return [name for name in found if (await self._jobs.delete_one({"_id": name, **unseen})).deleted_count]

    async def since(self, job: str) -> datetime | None:
        with reached():
            found = await self._jobs.find_one({"_id": job}, {"since": 1})
        return None if found is None else found["since"]
