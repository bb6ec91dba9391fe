"""Each query of a hot path walks an index in order: nothing is scanned or sorted, however long the line is."""

import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api_gateway.adapters.mongo_jobs import selected
from common.mongo.connection import Document, Mongo, connect
from common.mongo.deadlines import open_and_due_by
from common.mongo.indexes import INDEXES
from scheduler.adapters.mongo_job_runs import claimable, too_old
from tests.support.servers import new_database
from tests.support.storing import store

NOW = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
DOCUMENTS = 50_000
LANES = ("fonnte", "wablas", "fonnte,wablas", "wablas,fonnte")


def delivery(number: int) -> Document:
    """Half of them wait in line, a quarter wait for a time to come, a quarter have ended."""
    chance = random.Random(number)
    document: Document = {
        "_id": f"dlv_{number:06d}",
        "notification_id": f"ntf_{number // 10:05d}",
        "recipient": f"62812000000{number % 100:02d}",
        "rank": chance.randrange(4),
        "queued_at": NOW - timedelta(seconds=chance.randrange(100_000)),
        "expires_at": NOW + timedelta(days=1),
        "position": number % 10,
        "status": "sent",
    }
    if number % 4 < 3:
        document |= {"status": "queued", "wake_at": NOW + timedelta(seconds=chance.randrange(1, 90_000))}
    if number % 2:
        document |= {"lane": chance.choice(LANES)}
    if number % 1_000 == 0:
        document |= {"wake_at": NOW - timedelta(seconds=number)}
    return document


@pytest.fixture(scope="module")
async def mongo(mongodb: Any) -> AsyncIterator[Mongo]:
    async with connect(new_database(mongodb), name="test") as mongo:
        await mongo.create_indexes()
        await store(mongo, "deliveries", [delivery(number) for number in range(DOCUMENTS)])
        await mongo["notifications"].insert_many(
            [{"_id": f"ntf_{n:05d}", **({"wake_at": NOW} if n % 100 == 0 else {})} for n in range(5_000)]
        )
        yield mongo


@pytest.fixture(scope="module")
async def rows(mongo: Mongo) -> Mongo:
    """A directory large enough that looking at all of it would show."""
    people = [
        {"_id": f"C-{n:05d}", "area": f"area {n % 5}", "phone": f"62812{n:08d}", "name": str(n)} for n in range(20_000)
    ]
    await store(mongo, "customers", [{**one, "status": ("active", "inactive")[n % 2]} for n, one in enumerate(people)])
    roles = ("admin", "supervisor", "cs", "noc")
    await mongo["staff"].insert_many([{"_id": n, "role": roles[n % 4], "status": "active"} for n in range(2_000)])
    about = [{"_id": n, "customer_id": f"C-{n:05d}", "technician_id": f"X-{n % 500}"} for n in range(5_000)]
    await mongo["tickets"].insert_many([{**one, "status": "closed", "deadline": NOW} for one in about])
    await mongo["invoices"].insert_many([{**one, "status": "paid", "due_date": "2025-11-18"} for one in about])
    return mongo


def stages(plan: Document) -> Iterator[str]:
    yield plan["stage"]
    for child in [plan.get("inputStage"), *plan.get("inputStages", [])]:
        if child:
            yield from stages(child)


LANES_OF_FONNTE = ["fonnte", "fonnte,wablas"]


async def explained(
    mongo: Mongo, collection: str, query: Document, *, order: list[tuple[str, int]], limit: int
) -> tuple[set[str], Document]:
    """The stages of the plan that won and what it did."""
    command = {"find": collection, "filter": query, "sort": dict(order), "limit": limit}
    plan = await mongo.database.command("explain", command, verbosity="executionStats")
    return set(stages(plan["queryPlanner"]["winningPlan"])), plan["executionStats"]


async def test_the_head_of_the_lanes_is_read_in_order_and_no_further(mongo: Mongo) -> None:
    query = {"lane": {"$in": LANES_OF_FONNTE}, "expires_at": {"$gt": NOW}}
    used, stats = await explained(
        mongo, "deliveries", query, order=[("rank", 1), ("queued_at", 1), ("position", 1)], limit=25
    )
    assert {"IXSCAN", "SORT_MERGE"} <= used
    assert not used & {"COLLSCAN", "SORT"}
    assert stats["nReturned"] == 25
    assert stats["totalKeysExamined"] <= 25 + 2 * len(LANES_OF_FONNTE)
    assert stats["totalDocsExamined"] <= 25 + 2 * len(LANES_OF_FONNTE)


async def test_the_oldest_of_a_rank_are_read_in_order_too(mongo: Mongo) -> None:
    query = {"lane": {"$in": LANES_OF_FONNTE}, "rank": 3, "queued_at": {"$lte": NOW}, "expires_at": {"$gt": NOW}}
    used, stats = await explained(mongo, "deliveries", query, order=[("queued_at", 1), ("position", 1)], limit=25)
    assert {"IXSCAN", "SORT_MERGE"} <= used
    assert not used & {"COLLSCAN", "SORT"}
    assert stats["totalKeysExamined"] <= 25 + 2 * len(LANES_OF_FONNTE)


async def test_a_single_lane_is_read_in_order_too(mongo: Mongo) -> None:
    used, stats = await explained(
        mongo,
        "deliveries",
        {"lane": {"$in": ["wablas"]}},
        order=[("rank", 1), ("queued_at", 1), ("position", 1)],
        limit=25,
    )
    assert "IXSCAN" in used
    assert not used & {"COLLSCAN", "SORT"}
    assert stats["totalKeysExamined"] <= 26


async def test_notifications_that_are_due_are_found_without_looking_at_others(mongo: Mongo) -> None:
    used, stats = await explained(mongo, "notifications", {"wake_at": {"$lte": NOW}}, order=[("wake_at", 1)], limit=500)
    assert "IXSCAN" in used
    assert not used & {"COLLSCAN", "SORT"}
    assert stats["nReturned"] == 50
    assert stats["totalKeysExamined"] <= 50 + 1


@pytest.fixture(scope="module")
async def runs(mongo: Mongo) -> Mongo:
    """A year of runs, three of which are not over."""
    quarter = timedelta(minutes=15)
    ended = [
        {"_id": f"run_{job}_{n}", "job": job, "due_at": NOW - n * quarter, "status": "done", "trigger": "schedule"}
        for job in ("sla-monitor", "provider-check")
        for n in range(1, 10_000)
    ]
    waiting = [{**ended[n], "_id": f"run_w{n}", "status": "requested", "claims": 0} for n in (0, 5_000, 15_000)]
    await mongo["job_runs"].insert_many([*ended, *waiting])
    return mongo


async def test_runs_that_wait_are_found_without_looking_at_those_that_are_over(runs: Mongo) -> None:
    oldest = {job: NOW - timedelta(days=400) for job in ("sla-monitor", "provider-check")}
    used, stats = await explained(runs, "job_runs", claimable(oldest, NOW), order=[("due_at", 1)], limit=1)
    assert not used & {"COLLSCAN", "SORT"}
    assert stats["totalDocsExamined"] <= 5
    for ending in too_old(NOW - timedelta(days=1), "sla-monitor"):
        used, stats = await explained(runs, "job_runs", ending, order=[], limit=0)
        assert "COLLSCAN" not in used
        assert stats["totalDocsExamined"] <= 5


async def test_a_page_of_the_runs_of_a_job_is_read_in_order(runs: Mongo) -> None:
    query = selected("sla-monitor", (NOW - timedelta(days=30), "run_x"))
    used, stats = await explained(runs, "job_runs", query, order=[("due_at", -1), ("_id", -1)], limit=50)
    assert not used & {"COLLSCAN", "SORT"}
    assert stats["totalDocsExamined"] <= 55


async def test_what_waits_for_nothing_takes_no_room_in_the_indexes_of_what_waits(mongo: Mongo) -> None:
    await mongo["deliveries"].insert_one({"_id": "ended", "status": "sent"})
    for name in ("lane_head", "deadline"):
        found = await mongo["deliveries"].find({}, hint=name).to_list(None)
        assert len(found) < DOCUMENTS
        assert "ended" not in {document["_id"] for document in found}


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ({"notification_id": "ntf_00042", "status": "queued"}, []),
        ({"notification_id": "ntf_00042"}, [("_id", -1)]),
        ({"status": "queued"}, [("_id", -1)]),
        ({"recipient": "6281200000042"}, [("_id", -1)]),
        ({}, [("_id", -1)]),
    ],
    ids=str,
)
async def test_a_list_of_deliveries_is_answered_by_an_index(
    mongo: Mongo, query: Document, order: list[tuple[str, int]]
) -> None:
    used, stats = await explained(mongo, "deliveries", query, order=order, limit=10)
    assert "COLLSCAN" not in used
    assert stats["totalKeysExamined"] <= 11


ACTIVE = {"status": "active"}


@pytest.mark.parametrize(
    ("collection", "query", "order"),
    [
        ("customers", ACTIVE, [("_id", 1)]),
        ("customers", {**ACTIVE, "_id": {"$gt": "C-10000"}}, [("_id", 1)]),
        ("customers", {**ACTIVE, "area": "area 2", "_id": {"$gt": "C-10000"}}, [("_id", 1)]),
        ("customers", {"phone": "6281200000042"}, [("_id", 1)]),
        ("tickets", {"customer_id": "C-00042"}, []),
        ("tickets", {"technician_id": "X-42"}, []),
        ("tickets", {"status": "open", "deadline": {"$lte": NOW}}, [("deadline", 1)]),
        ("invoices", {"customer_id": "C-00042"}, []),
        ("invoices", {"due_date": "2025-11-18", "status": {"$in": [None, "unpaid"]}}, [("_id", 1)]),
        ("invoices", {"due_date": "2025-11-18", "status": {"$in": [None, "unpaid"]}, "_id": {"$gt": 9}}, [("_id", 1)]),
        ("invoices", {"due_date": "2025-11-18", "status": "paid"}, []),
        ("tickets", open_and_due_by(NOW), []),
        ("tickets", {"resolved_at": {"$gte": NOW, "$lt": LATER}, "status": {"$nin": ["open"]}}, []),
        ("tickets", {"opened_at": {"$gte": NOW, "$lt": LATER}}, []),
        ("job_requests", {"wake_at": {"$lte": NOW}}, [("wake_at", 1)]),
    ],
    ids=str,
)
async def test_rows_of_the_directory_are_found_by_an_index_and_read_in_order(
    rows: Mongo, collection: str, query: Document, order: list[tuple[str, int]]
) -> None:
    used, stats = await explained(rows, collection, query, order=order, limit=10)
    assert not used & {"COLLSCAN", "SORT"}
    assert stats["totalKeysExamined"] <= 11


async def test_staff_is_found_by_role_without_looking_at_others(rows: Mongo) -> None:
    query = {"role": {"$in": ["admin"]}, "status": {"$in": [None, "active"]}}
    used, stats = await explained(rows, "staff", query, order=[("_id", 1)], limit=0)
    assert "COLLSCAN" not in used
    assert stats["totalDocsExamined"] == stats["nReturned"] == 500


def test_a_collection_without_indexes_is_not_declared() -> None:
    """MongoDB refuses an empty list of indexes, and no process would start."""
    assert all(INDEXES.values())


async def test_creating_the_indexes_again_changes_nothing(mongo: Mongo) -> None:
    before = await mongo["deliveries"].index_information()
    await mongo.create_indexes()
    assert await mongo["deliveries"].index_information() == before


async def test_an_index_that_is_declared_in_another_way_than_before_is_made_anew(mongodb: Any) -> None:
    async with connect(new_database(mongodb), name="test") as mongo:
        await mongo["deliveries"].create_index([("wake_at", 1)], name="deadline")
        await mongo.create_indexes()
        there = await mongo["deliveries"].index_information()
        assert [name for name, _ in there["deadline"]["key"]] == ["status", "lane", "wake_at"]
        assert set(there) == {"_id_", *(model.document["name"] for model in INDEXES["deliveries"])}
