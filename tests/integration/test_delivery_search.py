"""A page of deliveries costs what is on it, however many deliveries there are and however few match."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from api_gateway.adapters.delivery_queries import selected
from api_gateway.adapters.mongo_deliveries import MongoDeliveries
from api_gateway.adapters.mongo_queue import MongoQueue
from api_gateway.application.ports import Selection
from common.contracts.vocabulary import DeliveryStatus, NotificationType
from common.mongo.connection import Document, Mongo, connect
from tests.support.servers import new_database
from tests.support.storing import store

DOCUMENTS = 100_000
RARE = (700, 40_000, 99_000)
"""Where the few stand that differ from all others."""
NOW = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
LIMIT = 50


def delivery(number: int) -> Document:
    rare = number in RARE
    document: Document = {
        "_id": f"dlv_{1_700_000_000_000 + number:012x}{number:016x}-{number:016x}",
        "notification_id": f"ntf_{1_700_000_000_000 + number:012x}{number:016x}",
        "type": "otp" if rare else "custom",
        "recipient": f"62812{number:08d}",
        "status": "expired" if rare else "sent",
        "rank": 2,
        "attempts": [{"provider": "wablas" if rare else "fonnte"}],
        "attempt": None,
        "message": "x" * 200,
    }
    if number == 50_000:
        document["attempt"] = {"provider": "wablas", "state": "started", "sender": "wablas-1"}
    return document


@pytest.fixture(scope="module")
async def mongo(mongodb: Any) -> AsyncIterator[Mongo]:
    async with connect(new_database(mongodb), name="test") as mongo:
        await mongo.create_indexes()
        await store(mongo, "deliveries", [delivery(number) for number in range(DOCUMENTS)])
        yield mongo


async def cost(mongo: Mongo, selection: Selection, **how: Any) -> Mapping[str, Any]:
    """What MongoDB did to find a page."""
    find = {"find": "deliveries", "filter": selected(selection), "sort": {"_id": -1}, "limit": selection.limit, **how}
    told = await mongo.database.command({"explain": find, "verbosity": "executionStats"})
    stats: Mapping[str, Any] = told["executionStats"]
    return stats


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(type=NotificationType.CUSTOM), LIMIT),
        (Selection(type=NotificationType.OTP), 3),
        (Selection(type=NotificationType.WELCOME), 0),
        (Selection(provider="fonnte"), LIMIT),
        (Selection(provider="wablas"), 4),
        (Selection(provider="smtp"), 0),
        (Selection(statuses=[DeliveryStatus.EXPIRED]), 3),
        (Selection(statuses=[DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN], dead=True), 0),
        (Selection(recipient="6281200000700"), 1),
        (Selection(type=NotificationType.OTP, provider="wablas"), 3),
        (Selection(type=NotificationType.OTP, statuses=[DeliveryStatus.EXPIRED]), 3),
        (Selection(type=NotificationType.OTP, before="dlv_g"), 3),
        (Selection(since=datetime(2023, 11, 14, tzinfo=UTC), until=datetime(2023, 11, 15, tzinfo=UTC)), LIMIT),
    ],
    ids=str,
)
async def test_a_page_reads_hardly_more_than_it_shows(mongo: Mongo, selection: Selection, found: int) -> None:
    for _ in range(3):  # also once the plan is remembered
        stats = await cost(mongo, selection)
        assert stats["nReturned"] == found
        assert stats["totalDocsExamined"] <= 2 * LIMIT, stats["totalDocsExamined"]
        assert stats["totalKeysExamined"] <= 4 * LIMIT, stats["totalKeysExamined"]
        assert stats["executionTimeMillis"] < 200


async def test_what_waits_for_a_person_is_found_among_all_that_ever_failed(mongo: Mongo) -> None:
    failed = {"status": "failed", "channel": "whatsapp"}
    over = [delivery(DOCUMENTS + number) | failed | {"discarded_at": NOW} for number in range(10_000)]
    dead = [delivery(number) | failed | {"dead_at": NOW} for number in (DOCUMENTS + 10_000, DOCUMENTS + 10_001)]
    await mongo["deliveries"].insert_many([*dead, *over], ordered=False)
    try:
        selection = Selection(statuses=[DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN], dead=True, limit=LIMIT)
        assert len(await MongoDeliveries(mongo).page(selection)) == 2
        stats = await cost(mongo, selection, hint="dead_pages")
        assert stats["totalDocsExamined"] <= 2 * LIMIT, stats["totalDocsExamined"]
        assert await MongoQueue(mongo).dead() == 2
        explained = mongo["deliveries"].find(
            {"dead_at": {"$gt": NOW}, "channel": {"$ne": "email"}}, {"_id": 0, "channel": 1}
        )
        assert "FETCH" not in str((await explained.hint("dead").explain())["queryPlanner"]["winningPlan"])
    finally:
        await mongo["deliveries"].delete_many({"status": "failed"})


async def test_a_plan_made_for_what_is_common_does_not_walk_everything_for_what_is_rare(mongo: Mongo) -> None:
    for provider in ("fonnte", "wablas"):
        for _ in range(5):
            found = mongo["deliveries"].find(selected(Selection(provider=provider))).sort("_id", -1).limit(LIMIT)
            await found.to_list(None)
    stats = await cost(mongo, Selection(provider="wablas"))
    assert stats["totalDocsExamined"] <= 2 * LIMIT
