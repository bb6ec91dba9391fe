"""What is large is answered from indexes and stored in pages, and cancelled as it stands in line: 100,000 of each."""

import asyncio

import pytest

from tests.support.api import Api
from tests.support.load.accepting import MANY, accepted, statistics, store_area, store_week, to_area, to_list
from tests.support.profiling import documents_examined, of, profiled
from tests.support.stored_deliveries import stored_delivery, stored_notification

ASKED = ("customers", "audience_pages", "notifications", "deliveries")
FEW = 10
MORE_THAN_ARE_SENT = 2_000
"""In a second, by the fastest that was measured: who is called before a cancel is through."""
ENDED_AT_ONCE = 5_000


@pytest.fixture(scope="module", autouse=True)
def _customers(api: Api) -> None:
    store_area(api.rows)


async def test_a_broadcast_to_an_area_of_100000_is_accepted_without_reading_its_customers(api: Api) -> None:
    async with api.client() as client:
        with profiled(api.rows, *ASKED, by="api-gateway") as operations:
            answer = await accepted(client, to_area())
    assert answer["totalCustomers"] == MANY
    assert of(operations, "customers")
    assert documents_examined(operations) <= FEW


async def test_a_list_of_100000_customers_is_accepted_in_pages_ten_at_a_time(api: Api) -> None:
    async with api.client() as client:
        with profiled(api.rows, *ASKED, by="api-gateway") as operations:
            answer = await accepted(client, to_list())
    assert answer["totalCustomers"] == MANY
    assert api.rows["audience_pages"].count_documents({"notification_id": answer["notification_id"]}) == 100
    assert [one["ninserted"] for one in of(operations, "audience_pages")] == [10] * 10
    assert [one["ninserted"] for one in of(operations, "notifications", "insert")] == [1]
    assert documents_examined(operations) <= FEW


async def test_the_statistics_of_100000_deliveries_are_one_question_to_an_index(api: Api) -> None:
    store_week(api.rows)
    async with api.client() as client:
        with profiled(api.rows, "deliveries", by="api-gateway") as operations:
            assert (await statistics(client))["total"] == MANY
    assert len([one for one in operations if "accepted_at" in one["planSummary"]]) == 1
    assert documents_examined(operations) == 0


async def test_cancelling_100000_ends_whoever_is_next_in_line_first_and_then_all(api: Api) -> None:
    notification = stored_notification(recipients=MANY)
    api.rows["notifications"].insert_one(notification)
    positions: dict[str, int] = {}
    for at in range(0, MANY, 10_000):
        numbers = range(at, at + 10_000)
        deliveries = [
            stored_delivery(notification=notification, to=f"62812{30_000_000 + n}", position=n) for n in numbers
        ]
        api.rows["deliveries"].insert_many(deliveries)
        positions |= {delivery["_id"]: delivery["position"] for delivery in deliveries}
    async with api.client() as client:
        with api.rows["deliveries"].watch([{"$match": {"operationType": "update"}}]) as changes:

            def ended_first() -> set[int]:
                return {positions[next(changes)["documentKey"]["_id"]] for _ in range(ENDED_AT_ONCE)}

            looking = asyncio.create_task(asyncio.to_thread(ended_first))
            answer = await client.post(f"/api/notifications/{notification['_id']}/cancel", timeout=240)
            assert set(range(MORE_THAN_ARE_SENT)) <= await looking
    body = answer.json()
    assert (body["status"], body["cancelled"], body["progress"]) == ("cancelled", MANY, {"cancelled": MANY})
