"""Runs of jobs in MongoDB: `job_runs`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import cast

from common.contracts.documents import JobRunDocument
from common.contracts.vocabulary import RunStatus, RunTrigger
from common.kernel.failures import Transient
from common.mongo.connection import (
    DUPLICATE_KEY,
    UNAVAILABLE,
    BulkWriteError,
    Document,
    InsertOne,
    Mongo,
    ReturnDocument,
)
from scheduler.domain.runs import MOST_CLAIMS

UNENDED = {"$in": [RunStatus.REQUESTED.value, RunStatus.RUNNING.value]}
NOBODYS = {"claimed_by": None, "claim": None, "lease_until": None}


class MongoJobRuns:
    def __init__(self, mongo: Mongo) -> None:
        self._runs = mongo["job_runs"]

    async def add(self, runs: Sequence[JobRunDocument]) -> list[str]:
        there: set[str] = set()
        with reached():
            try:
                await self._runs.bulk_write([InsertOne(cast("Document", run)) for run in runs], ordered=False)
            except BulkWriteError as error:
                refused: list[Document] = error.details.get("writeErrors", [])
                if error.details.get("writeConcernErrors") or any(one["code"] != DUPLICATE_KEY for one in refused):
                    raise
                there = {one["op"]["_id"] for one in refused}
        return [run["_id"] for run in runs if run["_id"] not in there]

    async def newest_due(self, job: str, until: datetime) -> datetime | None:
        query = {"job": job, "due_at": {"$lte": until}, "trigger": RunTrigger.SCHEDULE.value}
        with reached():
            found = await self._runs.find_one(query, {"due_at": 1}, sort=[("due_at", -1), ("_id", -1)])
        return None if found is None else found["due_at"]

    async def claim(
        self, oldest: Mapping[str, datetime], *, instance: str, claim: str, now: datetime, until: datetime
    ) -> JobRunDocument | None:
        change = {
            "$set": {
                "status": RunStatus.RUNNING.value,
                "claimed_by": instance,
                "claim": claim,
                "lease_until": until,
                "started_at": now,
            },
            "$inc": {"claims": 1},
        }
        with reached():
            found = await self._runs.find_one_and_update(
                claimable(oldest, now), change, sort=[("due_at", 1)], return_document=ReturnDocument.AFTER
            )
        return cast("JobRunDocument | None", found)

    async def renew(self, run_id: str, claim: str, until: datetime) -> bool:
        return await self._change(run_id, claim, {"$set": {"lease_until": until}})

    async def finish(self, run_id: str, claim: str, changes: Mapping[str, object]) -> bool:
        return await self._change(run_id, claim, {"$set": {**changes, "lease_until": None}})

    async def release(self, run_id: str, claim: str) -> None:
        given_back = {"status": RunStatus.REQUESTED.value, "started_at": None, **NOBODYS}
        await self._change(run_id, claim, {"$set": given_back, "$inc": {"claims": -1}})

    async def give_up(self, job: str, *, before: datetime, now: datetime) -> tuple[int, int]:
        never_begun, broken_off, deadly = too_old(before, job)
        died = f"the scheduler that ran it died {MOST_CLAIMS} times; it is not run again"
        late = "the scheduler that ran it died, and it became too old to be run again"
        with reached():
            ended: Document = {"status": RunStatus.MISSED.value, "finished_at": now}
            missed = await self._runs.update_many(never_begun, {"$set": ended})
            failed = 0
            for query, said in ((deadly, died), (broken_off, late)):
                ended = {"status": RunStatus.FAILED.value, "finished_at": now, "lease_until": None, "errors": [said]}
                over = {**query, "lease_until": {"$not": {"$gt": now}}}
                failed += (await self._runs.update_many(over, {"$set": ended})).modified_count
        return missed.modified_count, failed

    async def waited_for(self) -> set[str]:
        with reached():
            return set(await self._runs.distinct("job", {"status": UNENDED}))

    async def last_success(self, job: str, timezone: str) -> datetime | None:
        due_on = {"$dateToString": {"date": "$due_at", "format": "%Y-%m-%d", "timezone": timezone}}
        query = {"job": job, "status": RunStatus.DONE.value, "dry_run": False, "$expr": {"$eq": ["$day", due_on]}}
        with reached():
            found = await self._runs.find_one(query, {"finished_at": 1}, sort=[("due_at", -1), ("_id", -1)])
        return None if found is None else found["finished_at"]

    async def _change(self, run_id: str, claim: str, change: Document) -> bool:
        with reached():
            mine = {"_id": run_id, "claim": claim, "status": RunStatus.RUNNING.value}
            return (await self._runs.update_one(mine, change)).matched_count == 1


def claimable(oldest: Mapping[str, datetime], now: datetime) -> Document:
    """The MongoDB query of what may be claimed."""
    return {
        "status": UNENDED,
        "$or": [{"job": job, "due_at": {"$gte": moment}} for job, moment in oldest.items()],
        "lease_until": {"$not": {"$gt": now}},
        "claims": {"$lt": MOST_CLAIMS},
    }


def too_old(before: datetime, job: str) -> tuple[Document, Document, Document]:
    """The MongoDB queries of what is not run any more: never begun, broken off, and broken off too often."""
    requested, running = ({"status": one.value, "job": job} for one in (RunStatus.REQUESTED, RunStatus.RUNNING))
    was_due = {"due_at": {"$lt": before}}
    return {**requested, **was_due}, {**running, **was_due}, {**running, "claims": {"$gte": MOST_CLAIMS}}


@contextmanager
def reached() -> Iterator[None]:
    try:
        yield
    except UNAVAILABLE as error:
        raise Transient("MongoDB does not answer") from error
