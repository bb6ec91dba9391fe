"""A broadcast to 100,000 customers: planned in flat memory, each customer read once, adding up at every look."""

import asyncio

from pymongo import MongoClient

from api_gateway.adapters.mongo_ledger import MongoLedger
from common.contracts.documents import NotificationDocument
from tests.support.dispatching.world import World
from tests.support.load.broadcasting import CUSTOMERS, OPTED_OUT, planned, prepare, to_everybody, to_few
from tests.support.profiling import Document, documents_examined, of, profiled

SOME = 10_000
ASKED = ("customers", "suppressions")
MOST_QUESTIONS = 3
"""For a thousand: the customers come in one answer, who of them opted out in another; at the end there are no more."""
GROWTH = 60 * 1024 * 1024
LOOK_SECONDS = 0.25


async def test_100000_customers_are_planned_in_flat_memory_and_add_up_at_every_look(dispatching: World) -> None:
    await prepare(dispatching)
    process = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await plan(dispatching, to_few())
    at_rest = process.resident_bytes
    made = to_everybody()
    looks, largest = await plan(dispatching, made)
    assert await dispatching.count(notification_id=made["_id"]) == CUSTOMERS
    assert await dispatching.count(notification_id=made["_id"], status="suppressed") == len(OPTED_OUT)
    assert looks > 5
    assert largest - at_rest < GROWTH


async def test_each_customer_is_read_once_and_a_thousand_deliveries_are_stored_at_a_time(dispatching: World) -> None:
    await prepare(dispatching, customers=SOME)
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    made = to_everybody(SOME)
    with MongoClient[Document](dispatching.mongodb_url) as client:
        database = client.get_default_database()
        with profiled(database, *ASKED, "deliveries", by="dispatcher") as operations:
            await dispatching.accept(made)
            await planned(dispatching, made)
    thousands = SOME // 1_000
    assert [one["ninserted"] for one in of(operations, "deliveries", "insert")] == [1_000] * thousands
    assert documents_examined(of(operations, "customers")) == SOME
    assert sum(len(of(operations, collection)) for collection in ASKED) <= MOST_QUESTIONS * thousands


async def plan(world: World, made: NotificationDocument) -> tuple[int, int]:
    """Until it is planned: how often it was looked at, and the most memory that was seen."""
    await world.accept(made)
    planning = asyncio.create_task(planned(world, made))
    looks = largest = 0
    while not planning.done():
        counted = await MongoLedger(world.mongo).conservation()
        assert counted.difference == 0, counted
        assert counted.not_yet_planned >= 0
        largest = max(largest, world.processes[0].resident_bytes)
        looks += 1
        await asyncio.wait([planning], timeout=LOOK_SECONDS)
    await planning
    return looks, largest
