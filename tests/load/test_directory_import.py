"""100,000 customers in one CSV: soon done, in the memory of a few rows, and the others are answered meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import psutil

from tests.support.api import Api

CUSTOMERS = 100_000
SECONDS = 60
GROWTH = 40 * 1024 * 1024
"""The file has 10 MB; as Python objects its rows would take 150."""
AREAS = ("Bandung", "Cimahi", "Jakarta Selatan", "Bekasi")


async def rows(area: str | None = None) -> AsyncIterator[bytes]:
    yield b"\xef\xbb\xbfid;name;phone;email;area;address;package_id;status\r\n"
    for begin in range(0, CUSTOMERS, 500):
        yield "".join(
            f"C-{number:06d};Pelanggan {number};0812-0{number:07d};p{number}@example.com;"
            f'{area or AREAS[number % 4]};"Jl. Melati No. {number}\r\nRT 05";P-{number % 9};active\r\n'
            for number in range(begin, begin + 500)
        ).encode()


async def slowest_look(client: httpx.AsyncClient, done: asyncio.Event) -> float:
    slowest = 0.0
    while not done.is_set():
        began = time.perf_counter()
        assert (await client.get("/api/senders")).status_code == 200
        slowest = max(slowest, time.perf_counter() - began)
        await asyncio.sleep(0.05)
    return slowest


async def test_100000_customers_are_imported_in_a_minute_and_no_memory(api: Api) -> None:
    process = psutil.Process(api.process.pid)
    async with api.client() as client, api.client() as other:
        warm = await client.post("/api/directory/customers", content=b"id\nC-0\n", headers={"Content-Type": "text/csv"})
        assert warm.status_code == 200
        before, peak = process.memory_info().rss, 0
        for label, area in (("new", None), ("the same again", None), ("changed", "Garut")):
            done = asyncio.Event()
            looking = asyncio.create_task(slowest_look(other, done))
            began = time.perf_counter()
            told = asyncio.create_task(
                client.post(
                    "/api/directory/customers",
                    content=rows(area),
                    headers={"Content-Type": "text/csv"},
                    timeout=10 * SECONDS,
                )
            )
            while not told.done():
                peak = max(peak, process.memory_info().rss)
                await asyncio.wait({told}, timeout=0.1)
            took = time.perf_counter() - began
            done.set()
            body = (await told).json()
            grown = (peak - before) / 1024 / 1024
            print(f"{label}: {took:.1f} s, {grown:+.0f} MB at most, slowest look {await looking:.2f} s")  # noqa: T201
            assert (body["read"], body["refused"]) == (CUSTOMERS, 0), body["refusals"][:3]
            assert body[{"new": "new", "the same again": "unchanged", "changed": "changed"}[label]] >= CUSTOMERS - 1
            assert took < SECONDS
            assert peak - before < GROWTH
    assert api.rows["customers"].count_documents({"status": "active", "area": "Garut"}) == CUSTOMERS
