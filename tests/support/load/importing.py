"""100,000 customers as one CSV."""

from collections.abc import AsyncIterator
from typing import Any

import httpx

CUSTOMERS = 100_000
PATIENCE_SECONDS = 240
HEADERS = {"Content-Type": "text/csv"}
AREAS = ("Bandung", "Cimahi", "Jakarta Selatan", "Bekasi")


async def pieces(area: str | None = None) -> AsyncIterator[bytes]:
    """The file a part at a time; everybody in one area, or in several."""
    yield b"\xef\xbb\xbfid;name;phone;email;area;address;package_id;status\r\n"
    for begin in range(0, CUSTOMERS, 500):
        yield "".join(
            f"C-{number:06d};Pelanggan {number};0812-0{number:07d};p{number}@example.com;"
            f'{area or AREAS[number % 4]};"Jl. Melati No. {number}\r\nRT 05";P-{number % 9};active\r\n'
            for number in range(begin, begin + 500)
        ).encode()


async def imported(client: httpx.AsyncClient, content: AsyncIterator[bytes] | bytes) -> dict[str, Any]:
    """Post it; what is answered once all is done."""
    answer = await client.post("/api/directory/customers", content=content, headers=HEADERS, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text[:500]
    told: dict[str, Any] = answer.json()
    return told


async def warm(client: httpx.AsyncClient) -> None:
    """One row, so that everything is connected."""
    await imported(client, b"id\nC-0\n")
