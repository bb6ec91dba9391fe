"""What came too early is published by one process at a time, and whatever is wrong with one concerns no other."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api_gateway.adapters.mongo_early_requests import MongoEarlyRequests
from api_gateway.application.accept_request import (
    BATCH,
    LEASE,
    MOST_IN_VAIN,
    EarlyRequest,
    RetryEarlyRequests,
    Waiting,
)
from common.mongo.connection import Mongo, connect
from tests.support.dispatching.memory import StoppedClock
from tests.support.dispatching.model import START

WAITING = Waiting("no customer C-1 is known", START, START, START + timedelta(seconds=60))


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as connected:
        yield connected


class Bus:
    def __init__(self) -> None:
        self.published: list[EarlyRequest] = []

    async def __call__(self, request: EarlyRequest) -> None:
        self.published.append(request)


def request(number: int) -> EarlyRequest:
    return EarlyRequest(f"evt_{number}", f"msg_{number}", None, "{}")


async def test_several_processes_take_different_ones(mongo: Mongo) -> None:
    copies = [MongoEarlyRequests(mongo) for _ in range(4)]
    for number in range(BATCH):
        await copies[0].keep(request(number), WAITING)
    taken = await asyncio.gather(*(copy.due(START, START + LEASE, BATCH) for copy in copies))
    assert sorted(one.event_id for some in taken for one in some) == sorted(f"evt_{n}" for n in range(BATCH))
    assert await copies[0].due(START + LEASE - timedelta(seconds=1), START + 2 * LEASE, BATCH) == []
    again = await copies[0].due(START + LEASE, START + 2 * LEASE, BATCH)
    assert {(one.published, one.message_id[:4]) for one in again} == {(2, "msg_")}
    assert len(again) == BATCH


async def test_one_that_is_kept_anew_is_due_when_that_says_and_waits_since_the_first_time(mongo: Mongo) -> None:
    early = MongoEarlyRequests(mongo)
    handed_in = replace(request(1), replay="2")
    await early.keep(request(1), WAITING)
    await early.due(START, START + LEASE, BATCH)
    later = replace(WAITING, due_at=START + timedelta(seconds=1))
    await early.keep(handed_in, later)
    assert await early.first_at("evt_1") == START
    assert await early.due(later.due_at, START + LEASE, BATCH) == [replace(handed_in, published=1)]
    await early.drop("evt_1")
    assert await early.first_at("evt_1") is None


@pytest.mark.parametrize(
    "unreadable", [{}, {"body": 5}, {"body": "{", "first_at": "then"}, {"body": None, "message_id": 7, "replay": 1}]
)
async def test_one_that_cannot_be_read_is_published_with_the_others_and_given_up_alone(
    mongo: Mongo, unreadable: dict[str, Any]
) -> None:
    early, bus, clock = MongoEarlyRequests(mongo), Bus(), StoppedClock()
    retry = RetryEarlyRequests(early, bus, clock)
    await mongo["early_requests"].insert_one({"_id": "evt_0", "due_at": START - LEASE, **unreadable})
    await early.keep(request(1), WAITING)
    await retry()
    assert {one.event_id for one in bus.published} == {"evt_0", "evt_1"}
    assert await early.first_at("evt_0") is None
    for _ in range(MOST_IN_VAIN - 1):
        clock.at += LEASE
        await early.keep(request(1), replace(WAITING, due_at=clock.at))
        await retry()
    ids = [one["_id"] async for one in mongo["early_requests"].find()]
    assert ids == ["evt_1"]
    assert len(bus.published) == 2 * MOST_IN_VAIN
