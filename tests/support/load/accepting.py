"""100,000 customers of one area, a list of 100,000, a week of 100,000 deliveries."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pymongo.database import Database

from common.catalogue.examples import EXAMPLE_DATA
from common.contracts.vocabulary import NotificationType
from common.kernel.identity import new_id

MANY = 100_000
AT_ONCE = 10_000
T = NotificationType
STATISTICS = "/api/whatsapp-notifications/stats"
Document = dict[str, Any]


def store_area(rows: Database[Document]) -> None:
    for at in range(0, MANY, AT_ONCE):
        rows["customers"].insert_many(
            [
                {"_id": f"C-{number:06}", "name": "Sari", "phone": f"62812{30_000_000 + number}", "area": "Depok",
                 "status": "active", "told": {}, "changed_at": datetime.now(UTC)}
                for number in range(at, at + AT_ONCE)
            ]
        )  # fmt: skip


def store_week(rows: Database[Document]) -> None:
    """Deliveries of every type and some statuses, one accepted each second up to now."""
    now = datetime.now(UTC)
    statuses = ("sent", "delivered", "read", "failed", "queued")
    for at in range(0, MANY, AT_ONCE):
        rows["deliveries"].insert_many(
            [
                {"_id": new_id("dlv"), "type": list(T)[number % 25].value, "status": statuses[number % 5],
                 "channel": "whatsapp", "sent_by": ("fonnte", "wablas")[number % 2], "failover": number % 10 == 0,
                 "accepted_at": now - timedelta(seconds=number), "message": "x" * 500, "attempts": [], "timeline": []}
                for number in range(at, at + AT_ONCE)
            ]
        )  # fmt: skip


def to_area() -> Document:
    """To everybody in Depok."""
    return {"type": "maintenance", "data": EXAMPLE_DATA[T.MAINTENANCE]}


def to_list() -> Document:
    """To the same people, each named."""
    listed = [f"C-{number:06}" for number in range(MANY)]
    return {"type": "promotion", "data": {**EXAMPLE_DATA[T.PROMOTION], "target_customers": listed}}


async def accepted(client: httpx.AsyncClient, body: Document) -> Document:
    response = await client.post("/api/notifications", json={"force": True, **body})
    assert response.status_code == 202, response.text[:500]
    answer: Document = response.json()
    return answer


async def statistics(client: httpx.AsyncClient) -> Document:
    """The summary of the week."""
    response = await client.get(STATISTICS)
    assert response.status_code == 200, response.text[:500]
    summary: Document = response.json()["summary"]
    return summary
