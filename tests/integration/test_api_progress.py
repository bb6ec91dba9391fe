"""How far a broadcast is: figures that add up at every moment."""

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.stored_deliveries import stored_delivery, stored_notification


async def shown(api: Api, notification: dict[str, Any], *statuses: str) -> dict[str, Any]:
    """What is told of a notification with deliveries in these statuses."""
    api.rows["notifications"].insert_one(notification)
    for number, status in enumerate(statuses):
        delivery = stored_delivery(status, notification=notification, to=f"62812000000{number:02}")
        api.rows["deliveries"].insert_one(delivery)
    async with api.client("cs") as client:
        response = await client.get(f"/api/notifications/{notification['_id']}")
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    assert body["planned"] + body["not_yet_planned"] + body["cancelled_before_planning"] == body["recipients"]
    assert sum(body["progress"].values()) == body["recipients"] - body["not_yet_planned"]
    return body


def broadcast(status: str, recipients: int) -> dict[str, Any]:
    return stored_notification(
        type="maintenance", status=status, recipients=recipients, audience=[], audience_query={"rows": "customers"}
    )


async def test_while_it_is_planned_the_rest_is_not_yet_planned(api: Api) -> None:
    body = await shown(api, broadcast("accepted", 6), "sent", "delivered", "failed", "queued")
    figures = ("recipients", "planned", "not_yet_planned", "sent", "failed", "waiting")
    assert [body[name] for name in figures] == [6, 4, 2, 2, 1, 1]


async def test_when_more_are_found_than_were_counted_there_are_more_recipients(api: Api) -> None:
    body = await shown(api, broadcast("accepted", 1), "queued", "queued", "suppressed")
    assert (body["recipients"], body["planned"], body["not_yet_planned"]) == (3, 3, 0)


async def test_what_is_cancelled_before_it_is_planned_is_counted_as_such(api: Api) -> None:
    body = await shown(api, broadcast("cancelled", 5), "sent", "cancelled")
    assert (body["cancelled_before_planning"], body["progress"]) == (3, {"sent": 1, "cancelled": 4})


@pytest.mark.parametrize(("status", "waits"), [("queued", True), ("sent", False)])
async def test_an_end_is_estimated_for_what_waits_and_for_nothing_else(api: Api, status: str, *, waits: bool) -> None:
    body = await shown(api, broadcast("planned", 1), status)
    assert "eta" in body
    assert (body["waiting"] > 0) is waits
    if not waits:
        assert body["eta"] is None
