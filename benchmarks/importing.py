"""Rows a second of a CSV with 100,000 new customers, from the first byte posted to the answer.

Kabar checks each row, makes numbers one form, keeps of each field what was told last and what it is searched by. The
peer is Python's csv module and the plain driver, upserting the rows as they stand, a thousand at a time, into an
emptied copy of the collection.

    python -m benchmarks.importing
"""

import asyncio
import csv
import io
import time
from itertools import islice

from pymongo import MongoClient, UpdateOne
from pymongo.database import Database

from benchmarks.figures import Figure, compare
from benchmarks.servers import Document, emptied_copy, servers
from tests.support.api import Api, ready, running_api, wait_until
from tests.support.load.importing import CUSTOMERS, imported, pieces, warm

AT_ONCE = 1_000


def main() -> None:
    with servers() as there:
        log = there.directory / "api.log"
        with running_api(there.rabbitmq_url, there.mongodb_url, log) as api:
            wait_until(lambda: ready(api), f"api-gateway is not ready; see {log}")
            content, kabar = asyncio.run(run_kabar(api))
        with MongoClient[Document](there.mongodb_url, w="majority") as client:
            peer = run_peer(client.get_default_database(), content)
    compare(
        f"importing {CUSTOMERS:,} customers as CSV: {kabar:.1f} s",
        Figure("Kabar", CUSTOMERS / kabar, "rows/s"),
        Figure("the csv module and the driver alone", CUSTOMERS / peer, "rows/s"),
    )


async def run_kabar(api: Api) -> tuple[bytes, float]:
    """The file, and the seconds it took."""
    content = b"".join([piece async for piece in pieces()])
    async with api.client() as client:
        await warm(client)
        began = time.perf_counter()
        told = await imported(client, content)
        took = time.perf_counter() - began
    assert (told["read"], told["refused"]) == (CUSTOMERS, 0)
    return content, took


def run_peer(database: Database[Document], content: bytes) -> float:
    copy = emptied_copy(database["customers"])
    began = time.perf_counter()
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";")
    while batch := [UpdateOne({"_id": row.pop("id")}, {"$set": row}, upsert=True) for row in islice(rows, AT_ONCE)]:
        copy.bulk_write(batch, ordered=False)
    took = time.perf_counter() - began
    assert copy.estimated_document_count() == CUSTOMERS
    return took


if __name__ == "__main__":
    main()
