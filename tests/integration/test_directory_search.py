"""Whatever the directory is searched by, a page costs what is on it and not what is stored."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api_gateway.adapters.mongo_directory import selected
from api_gateway.application.tell_directory import Selection
from common.mongo.connection import Mongo, connect
from common.mongo.search_keys import keys_of
from tests.integration.test_indexes import stages
from tests.support.servers import new_database
from tests.support.storing import store

ROWS = 20_000
LIMIT = 50
KINDS = ("customers", "technicians", "staff", "tickets", "invoices", "packages")


@pytest.fixture(scope="module")
async def mongo(mongodb: Any) -> AsyncIterator[Mongo]:
    async with connect(new_database(mongodb), name="test") as mongo:
        await mongo.create_indexes()
        rows = [
            {
                "_id": f"C-{number:05d}",
                "found_as": keys_of(f"C-{number:05d}", f"Siti {'Ningsih' if number % 5_000 == 42 else number}"),
                "phone": f"62812{number:08d}",
                "area": f"area {number % 5}",
                "status": "active",
            }
            for number in range(ROWS)
        ]
        for kind in KINDS:
            await store(mongo, kind, rows)
        yield mongo


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(q="siti"), LIMIT),
        (Selection(q="s", after="C-10000"), LIMIT),
        (Selection(q="ningsih"), 4),
        (Selection(q="ningsih", area="area 2"), 4),
        (Selection(q="ningsih", after="C-10000"), 2),
        (Selection(q="c-0004"), 10),
        (Selection(q="budi"), 0),
        (Selection(q="budi", status="active", area="area 1"), 0),
    ],
    ids=str,
)
async def test_a_search_looks_at_hardly_more_than_it_shows(
    mongo: Mongo, kind: str, selection: Selection, found: int
) -> None:
    for _ in range(3):  # also once the plan is remembered
        await _assert_cheap(mongo, kind, selection, found)


@pytest.mark.parametrize("kind", ["customers", "technicians", "staff"])
async def test_a_whole_number_is_found_by_an_index(mongo: Mongo, kind: str) -> None:
    await _assert_cheap(mongo, kind, Selection(q="0812-0001-0042"), 1)
    await _assert_cheap(mongo, kind, Selection(q="0812-0009-0042"), 0)


async def _assert_cheap(mongo: Mongo, kind: str, selection: Selection, found: int) -> None:
    find = {"find": kind, "filter": selected(kind, selection), "sort": {"_id": 1}, "limit": selection.limit}
    told = await mongo.database.command({"explain": find, "verbosity": "executionStats"})
    assert "COLLSCAN" not in set(stages(told["queryPlanner"]["winningPlan"]))
    stats = told["executionStats"]
    assert stats["nReturned"] == found
    assert stats["totalDocsExamined"] <= 2 * LIMIT, told["queryPlanner"]["winningPlan"]
    assert stats["totalKeysExamined"] <= 4 * LIMIT, told["queryPlanner"]["winningPlan"]
