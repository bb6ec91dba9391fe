"""What is large is accepted, counted and cancelled at once: a broadcast or a list of 100,000, a week's statistics."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.catalogue.examples import EXAMPLE_DATA
from common.contracts.vocabulary import NotificationType
from common.kernel.identity import new_id
from tests.support.api import Api
from tests.support.stored_deliveries import stored_delivery, stored_notification

MANY = 100_000
MORE_THAN_ARE_SENT = 2_000
"""In a second, by the fastest that was measured."""
T = NotificationType


@pytest.fixture(scope="module", autouse=True)
def _customers(api: Api) -> None:
    for at in range(0, MANY, 10_000):
        api.rows["customers"].insert_many(
            [
                {"_id": f"C-{number:06}", "name": "Sari", "phone": f"62812{30_000_000 + number}", "area": "Depok",
                 "status": "active", "told": {}, "changed_at": datetime.now(UTC)}
                for number in range(at, at + 10_000)
            ]
        )  # fmt: skip


async def timed(api: Api, **body: Any) -> tuple[float, dict[str, Any]]:
    async with api.client() as client:
        await client.get("/api/whatsapp-notifications/stats")  # connected
        started = time.monotonic()
        response = await client.post("/api/notifications", json={"force": True, **body})
        took = time.monotonic() - started
    assert response.status_code == 202, response.text[:500]
    return took, response.json()


async def test_a_broadcast_to_an_area_of_100000_is_accepted_within_two_seconds(api: Api) -> None:
    took, answer = await timed(api, type="maintenance", data=EXAMPLE_DATA[T.MAINTENANCE])
    assert answer["totalCustomers"] == MANY
    assert took < 2


async def test_a_list_of_100000_customers_is_accepted_within_two_seconds(api: Api) -> None:
    listed = [f"C-{number:06}" for number in range(MANY)]
    took, answer = await timed(api, type="promotion", data={**EXAMPLE_DATA[T.PROMOTION], "target_customers": listed})
    assert answer["totalCustomers"] == MANY
    assert api.rows["audience_pages"].count_documents({"notification_id": answer["notification_id"]}) == 100
    assert took < 2


async def test_the_statistics_of_100000_deliveries_take_well_under_a_second(api: Api) -> None:
    now = datetime.now(UTC)
    statuses = ("sent", "delivered", "read", "failed", "queued")
    for at in range(0, MANY, 10_000):
        api.rows["deliveries"].insert_many(
            [
                {"_id": new_id("dlv"), "type": list(T)[number % 25].value, "status": statuses[number % 5],
                 "channel": "whatsapp", "sent_by": ("fonnte", "wablas")[number % 2], "failover": number % 10 == 0,
                 "accepted_at": now - timedelta(seconds=number), "message": "x" * 500, "attempts": [], "timeline": []}
                for number in range(at, at + 10_000)
            ]
        )  # fmt: skip
    async with api.client() as client:
        await client.get("/api/whatsapp-notifications/stats")
        started = time.monotonic()
        body = (await client.get("/api/whatsapp-notifications/stats")).json()
        took = time.monotonic() - started
    assert body["summary"]["total"] == MANY
    assert took < 0.8


async def test_cancelling_100000_ends_whoever_is_next_within_a_second_and_then_all(api: Api) -> None:
    notification = stored_notification(recipients=MANY)
    api.rows["notifications"].insert_one(notification)
    for at in range(0, MANY, 10_000):
        numbers = range(at, at + 10_000)
        api.rows["deliveries"].insert_many(
            [stored_delivery(notification=notification, to=f"62812{30_000_000 + n}", position=n) for n in numbers]
        )
    async with api.client() as client:
        cancelling = asyncio.create_task(client.post(f"/api/notifications/{notification['_id']}/cancel", timeout=60))
        await asyncio.sleep(1)
        next_in_line = {"notification_id": notification["_id"], "position": {"$lt": MORE_THAN_ARE_SENT}}
        assert api.rows["deliveries"].count_documents({**next_in_line, "status": "queued"}) == 0
        body = (await cancelling).json()
    assert (body["status"], body["cancelled"], body["progress"]) == ("cancelled", MANY, {"cancelled": MANY})
