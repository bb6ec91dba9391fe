"""Seconds until what is large is answered: a broadcast to an area or a list of 100,000, a week of 100,000 deliveries.

The peer is what the plain driver takes for the question behind it alone: the same count of customers, the same list
inserted in the same pages, the same aggregation. Each is the median of several.

    python -m benchmarks.accepting
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import httpx
from pymongo import MongoClient
from pymongo.database import Database

from api_gateway.adapters.mongo_statistics import tallies
from benchmarks.figures import Figure, compare
from benchmarks.servers import Document, emptied_copy, servers
from tests.support.api import Api, ready, running_api, wait_until
from tests.support.load.accepting import MANY, accepted, statistics, store_area, store_week, to_area, to_list

TIMES = 5
PAGES_AT_ONCE = 10


def main() -> None:
    with servers() as there:
        log = there.directory / "api.log"
        with (
            running_api(there.rabbitmq_url, there.mongodb_url, log) as api,
            MongoClient[Document](there.mongodb_url, w="majority") as client,
        ):
            wait_until(lambda: ready(api), f"api-gateway is not ready; see {log}")
            asyncio.run(run(api, client.get_default_database()))


async def run(api: Api, database: Database[Document]) -> None:
    store_area(database)
    async with api.client() as client:
        area = await timed(lambda: accept(client, to_area()))
        show(
            f"accepting a broadcast to an area of {MANY:,}", area, timed_peer(lambda: count(database)), "counting them"
        )
        body = to_list()
        listed = await timed(lambda: accept(client, body))
        show(f"accepting a list of {MANY:,}", listed, timed_peer(lambda: insert(database)), "inserting it")
        store_week(database)
        week = await timed(lambda: statistics(client))
        show(f"the statistics of {MANY:,} deliveries", week, timed_peer(lambda: tally(database)), "aggregating them")


def show(what: str, kabar: float, peer: float, peer_does: str) -> None:
    compare(what, Figure("Kabar", kabar, "s"), Figure(f"the driver alone, {peer_does}", peer, "s"))


async def accept(client: httpx.AsyncClient, body: Document) -> None:
    assert (await accepted(client, body))["totalCustomers"] == MANY


async def timed(ask: Callable[[], Awaitable[Any]]) -> float:
    """Seconds, once everything is warm."""
    took = []
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        await ask()
        took.append(time.perf_counter() - began)
    return median(took[1:])


def timed_peer(ask: Callable[[], float]) -> float:
    return median([ask() for _ in range(TIMES + 1)][1:])


def count(database: Database[Document]) -> float:
    began = time.perf_counter()
    assert database["customers"].count_documents({"area": "Depok", "status": "active"}) == MANY
    return time.perf_counter() - began


def insert(database: Database[Document]) -> float:
    """The pages Kabar made of the list last, ten at a time."""
    copy = emptied_copy(database["audience_pages"])
    pages = list(database["audience_pages"].find().sort("created_at", -1).limit(MANY // 1_000))
    began = time.perf_counter()
    for first in range(0, len(pages), PAGES_AT_ONCE):
        copy.insert_many(pages[first : first + PAGES_AT_ONCE], ordered=False)
    return time.perf_counter() - began


def tally(database: Database[Document]) -> float:
    began = time.perf_counter()
    found = database["deliveries"].aggregate(tallies(datetime.now(UTC) - timedelta(days=7)), hint="statistics")
    assert sum(one["count"] for one in found) == MANY
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
