"""Idempotency keys in MongoDB: in one pair of hands for as long as these are at work."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from api_gateway.adapters.mongo_reservations import MongoReservations
from api_gateway.application.accept_notification import Turn
from api_gateway.application.once import Once, Replayed
from api_gateway.application.ports import Answer, Reservation
from api_gateway.domain.refusals import Conflicting
from common.kernel.clock import SystemClock
from common.mongo.connection import Mongo, connect
from tests.support.api import until

ANSWER = Answer(200, b"{}")
NOW = datetime(2025, 11, 14, 18, 0, tzinfo=UTC)


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        yield mongo


@pytest.fixture
async def reservations(mongo: Mongo) -> AsyncIterator[MongoReservations]:
    async def ready() -> bool:
        return mongo.ready

    reservations = MongoReservations(mongo)
    loops = (mongo.watch(), reservations.reserving.run(), reservations.settling.run())
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(loop) for loop in loops]
        await until(ready, "MongoDB is not ready")
        yield reservations
        for one in running:
            one.cancel()


async def test_what_runs_longer_than_a_crash_is_waited_for_is_not_taken_over(
    mongo: Mongo, reservations: MongoReservations
) -> None:
    patience = timedelta(seconds=1)
    once, key, done = Once(reservations, SystemClock(), patience), uuid4().hex, asyncio.Event()
    turns: list[Turn] = []

    async def act(turn: Turn) -> Answer:
        turns.append(turn)
        await done.wait()
        return ANSWER

    async def age() -> timedelta:
        found = await mongo["idempotency_keys"].find_one({"_id": key})
        return timedelta() if found is None else found["reserved_at"] - found["created_at"]

    first = asyncio.create_task(once(key, "the same", act))

    async def old() -> bool:
        return await age() > 2 * patience

    await until(old, "the reservation is not renewed")
    with pytest.raises(Conflicting):
        await once(key, "the same", act)
    done.set()
    assert await first == ANSWER
    assert await once(key, "the same", act) == Replayed(ANSWER)
    assert len(turns) == 1


async def test_what_was_renewed_since_it_was_looked_at_is_not_taken_over(reservations: MongoReservations) -> None:
    mine = Reservation(uuid4().hex, "the same", "ntf_1", "mine", NOW, NOW)
    others = Reservation(
        mine.key, "the same", "ntf_2", "others", NOW + timedelta(minutes=2), NOW + timedelta(minutes=2)
    )
    await reservations.reserve(mine)
    found = await reservations.reserve(others)
    await reservations.renew(mine, NOW + timedelta(minutes=1))
    assert not await reservations.take_over(found, others)
    found = await reservations.reserve(others)
    assert await reservations.take_over(found, others)
    assert await reservations.take_over(found, others)  # as when the answer to the first was lost


async def test_a_key_that_is_taken_over_keeps_the_moment_it_was_first_seen(reservations: MongoReservations) -> None:
    key = uuid4().hex
    await reservations.reserve(Reservation(key, "the same", "ntf_1", "dead", NOW, NOW))
    seen: list[Turn] = []

    async def act(turn: Turn) -> Answer:
        seen.append(turn)
        if len(seen) == 1:
            raise ConnectionResetError  # half-way
        return ANSWER

    once = Once(reservations, SystemClock())
    with pytest.raises(ConnectionResetError):
        await once(key, "the same", act)
    await reservations.note_given_up()
    assert await once(key, "the same", act) == ANSWER
    assert seen == [Turn("ntf_1", NOW, retaken=True)] * 2
