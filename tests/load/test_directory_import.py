"""100,000 customers in one CSV: in the memory of a few rows, in few commands, and the others are answered meanwhile."""

import asyncio

import httpx
import psutil
import pytest

from tests.support.api import Api
from tests.support.load.importing import CUSTOMERS, imported, pieces, warm
from tests.support.profiling import documents_examined, of, profiled, update_commands

GROWTH = 40 * 1024 * 1024
"""The file has 10 MB; as Python objects its rows would take 150."""
READS = 5 * CUSTOMERS // 1_000
"""500 rows are looked for at a time, and come in two answers."""
UPDATES = 5 * CUSTOMERS // 1_000
"""They are written at a time too; a few belong to whatever else the process does."""


async def answered(client: httpx.AsyncClient, done: asyncio.Event) -> int:
    """How many others were, until it is done."""
    number = 0
    while not done.is_set():
        assert (await client.get("/api/senders")).status_code == 200
        number += 1
        await asyncio.sleep(0.2)
    return number


@pytest.mark.timeout(900)
async def test_100000_customers_are_imported_in_flat_memory_and_few_commands_beside_others(api: Api) -> None:
    process = psutil.Process(api.process.pid)
    async with api.client() as client, api.client() as other:
        await warm(client)
        before, peak = process.memory_info().rss, 0
        for outcome, area in (("new", None), ("unchanged", None), ("changed", "Garut")):
            done = asyncio.Event()
            others = asyncio.create_task(answered(other, done))
            updates = update_commands(api.rows)
            with profiled(api.rows, "customers", by="api-gateway", op={"$ne": "update"}) as operations:
                importing = asyncio.create_task(imported(client, pieces(area)))
                while not importing.done():
                    peak = max(peak, process.memory_info().rss)
                    await asyncio.wait({importing}, timeout=0.1)
            done.set()
            body = await importing
            assert (body["read"], body["refused"]) == (CUSTOMERS, 0), body["refusals"][:3]
            assert body[outcome] >= CUSTOMERS - 1
            assert await others > 10
            assert peak - before < GROWTH
            assert 0 < len(of(operations, "customers")) <= READS
            assert documents_examined(operations) <= CUSTOMERS
            assert update_commands(api.rows) - updates <= UPDATES
    assert api.rows["customers"].count_documents({"status": "active", "area": "Garut"}) == CUSTOMERS
