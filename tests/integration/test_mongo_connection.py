"""A MongoDB that is not there yet, hangs or was killed is waited for, and readiness says so meanwhile."""

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from common.mongo.connection import DUPLICATE_KEY, UNAVAILABLE, BulkWriteError, InsertOne, Mongo, connect, within
from common.mongo.indexes import INDEXES
from common.mongo.server_clock import ServerClock
from local_stack.servers import PrivateMongo
from tests.support.bus import eventually


@asynccontextmanager
async def watched(url: str) -> AsyncIterator[Mongo]:
    async with connect(url, name="test") as mongo:
        watching = asyncio.create_task(mongo.watch())
        try:
            yield mongo
        finally:
            assert not watching.done() or watching.result() is None
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def test_indexes_are_created_at_the_start(mongodb_url: str) -> None:
    async with watched(mongodb_url) as mongo:
        await eventually(lambda: mongo.ready)
        for collection, models in INDEXES.items():
            names = set(await mongo[collection].index_information())
            assert {str(model.document["name"]) for model in models} <= names


async def test_times_come_back_as_they_were_written(mongodb_url: str) -> None:
    moment = datetime(2025, 11, 15, 3, 0, 0, 123_000, tzinfo=UTC)
    async with connect(mongodb_url, name="test") as mongo:
        await mongo["senders"].insert_one({"_id": "fonnte-1", "at": moment})
        found = await mongo["senders"].find_one({"_id": "fonnte-1"})
    assert found is not None
    assert found["at"] == moment
    assert found["at"].utcoffset() is not None


async def test_a_refused_batch_tells_which_were_there_and_never_what_is_in_them(mongodb_url: str) -> None:
    text = "Kode Anda 4711"
    documents = [{"_id": f"dlv_{number}", "message": text} for number in (1, 2)]
    async with connect(mongodb_url, name="test") as mongo:
        await mongo["deliveries"].insert_one(dict(documents[0]))
        with pytest.raises(BulkWriteError) as several:
            await mongo["deliveries"].insert_many([dict(document) for document in documents], ordered=False)
        with pytest.raises(BulkWriteError) as again:
            await mongo["deliveries"].bulk_write([InsertOne(dict(one)) for one in documents], ordered=False)
    assert several.value.details["nInserted"] == 1
    assert [one["op"]["_id"] for one in again.value.details["writeErrors"]] == ["dlv_1", "dlv_2"]
    for refusal in (several.value, again.value):
        assert {one["code"] for one in refusal.details["writeErrors"]} == {DUPLICATE_KEY}
        said = f"{refusal} {refusal!r} {refusal.details} " + "".join(traceback.format_exception(refusal))
        assert text not in said


async def test_the_servers_clock_is_told_and_outlives_its_absence(private_mongodb: Callable[[], PrivateMongo]) -> None:
    server = private_mongodb()
    async with connect(server.url, name="test") as mongo:
        clock = ServerClock(mongo.time, local=lambda: time.time() + 2 * 86_400)
        running = asyncio.create_task(clock.run())
        await clock.ready()
        assert abs(clock.seconds() - time.time()) < 0.1
        server.kill()
        assert abs(clock.seconds() - time.time()) < 0.1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_server_that_is_killed_is_missed_and_used_again(private_mongodb: Callable[[], PrivateMongo]) -> None:
    server = private_mongodb()
    async with watched(server.url) as mongo:
        await eventually(lambda: mongo.ready)
        await mongo["senders"].insert_one({"_id": "fonnte-1"})
        server.kill()
        await eventually(lambda: not mongo.ready)
        with pytest.raises(UNAVAILABLE), within(0.5):
            await mongo["senders"].find_one({"_id": "fonnte-1"})
        await asyncio.to_thread(server.start)
        await eventually(lambda: mongo.ready)
        assert await mongo["senders"].find_one({"_id": "fonnte-1"}) == {"_id": "fonnte-1"}

        server.pause()
        try:
            await eventually(lambda: not mongo.ready, seconds=5)
        finally:
            server.resume()
        await eventually(lambda: mongo.ready)
        await mongo["senders"].insert_one({"_id": "fonnte-2"})
