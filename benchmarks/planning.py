"""Deliveries a second of a broadcast to 100,000 customers, from accepted to planned.

Kabar finds each customer, leaves out who opted out, renders the text and stores the delivery. The peer is the plain
driver that does the last of it alone: the very same documents, a thousand at a time, into an emptied copy of the
collection.

    python -m benchmarks.planning
"""

import asyncio
import time

from pymongo import MongoClient
from pymongo.database import Database

from benchmarks.figures import Figure, compare
from benchmarks.servers import Document, Servers, emptied_copy, servers
from common.telemetry.logs import configure_logs
from tests.support.dispatching.world import world
from tests.support.load.broadcasting import CUSTOMERS, planned, prepare, to_everybody, to_few

AT_ONCE = 1_000


def main() -> None:
    configure_logs(service="benchmark", instance="planning", level="WARNING")
    with servers() as there:
        kabar, peer = asyncio.run(run(there))
    compare(
        f"planning a broadcast to {CUSTOMERS:,} customers",
        Figure("Kabar", CUSTOMERS / kabar, "deliveries/s"),
        Figure("the driver alone, inserting the same documents", CUSTOMERS / peer, "deliveries/s"),
    )


async def run(there: Servers) -> tuple[float, float]:
    """The seconds both took."""
    async with world(there.rabbitmq_url, there.mongodb_url, there.directory) as kabar:
        await prepare(kabar)
        process = await kabar.dispatcher(WHATSAPP_ENABLED="false")
        few, everybody = to_few(), to_everybody()
        await kabar.accept(few)
        await planned(kabar, few)
        began = time.perf_counter()
        await kabar.accept(everybody)
        await planned(kabar, everybody)
        took = time.perf_counter() - began
        process.stop()
        with MongoClient[Document](there.mongodb_url, w="majority") as client:
            return took, await asyncio.to_thread(run_peer, client.get_default_database(), everybody["_id"])


def run_peer(database: Database[Document], notification_id: str) -> float:
    """Store them once more, one batch after the other; reading them is not counted."""
    copy, took = emptied_copy(database["deliveries"]), 0.0
    planned_ones = database["deliveries"].find({"notification_id": notification_id}).batch_size(AT_ONCE)
    for _ in range(0, CUSTOMERS, AT_ONCE):
        batch = [next(planned_ones) for _ in range(AT_ONCE)]
        began = time.perf_counter()
        copy.insert_many(batch, ordered=False)
        took += time.perf_counter() - began
    return took


if __name__ == "__main__":
    main()
