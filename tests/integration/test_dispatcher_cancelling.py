"""What cancelling leaves of deliveries in every status, and what it says of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from common.mongo.connection import Mongo, connect
from dispatcher.adapters.mongo_deliveries import MongoDeliveries
from dispatcher.domain.rounds import CANCELLED
from tests.support.stored_deliveries import past_attempt, stored_delivery


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as connected:
        yield connected


async def after_cancelling(mongo: Mongo, delivery: dict[str, Any]) -> tuple[dict[str, Any], int]:
    await mongo["deliveries"].insert_one(delivery)
    ended = await MongoDeliveries(mongo["deliveries"]).cancel([delivery["notification_id"]], datetime.now(UTC))
    found = await mongo["deliveries"].find_one({"_id": delivery["_id"]})
    assert found is not None
    return found, ended


@pytest.mark.parametrize("status", ["queued", "scheduled"])
async def test_what_waits_ends_as_cancelled(mongo: Mongo, status: str) -> None:
    found, ended = await after_cancelling(mongo, stored_delivery(status))
    assert (found["status"], found["code"], found["revision"], ended) == ("cancelled", None, 1, 1)
    assert not {"lane", "wake_at"} & found.keys()
    assert (found["reason"], found["called_off"]) == (CANCELLED, CANCELLED)
    assert [entry["status"] for entry in found["timeline"]] == [status, "cancelled"]


async def test_what_waits_and_may_have_arrived_ends_as_unknown(mongo: Mongo) -> None:
    attempts = [past_attempt(1, outcome="unknown"), past_attempt(2)]
    found, _ = await after_cancelling(mongo, stored_delivery(attempts=attempts, attempts_made=2))
    assert (found["status"], found["code"]) == ("unknown", "UNKNOWN")
    assert found["timeline"][-1]["status"] == "unknown"


async def test_what_is_under_way_is_called_off_once(mongo: Mongo) -> None:
    delivery = stored_delivery("sending")
    found, ended = await after_cancelling(mongo, delivery)
    assert (found["status"], found["called_off"], found["revision"], ended) == ("sending", CANCELLED, 1, 0)
    await MongoDeliveries(mongo["deliveries"]).cancel([delivery["notification_id"]], datetime.now(UTC))
    again = await mongo["deliveries"].find_one({"_id": delivery["_id"]})
    assert again == found


@pytest.mark.parametrize("status", ["sent", "failed", "expired", "unknown"])
async def test_what_has_ended_stays(mongo: Mongo, status: str) -> None:
    delivery = stored_delivery(status)
    found, _ = await after_cancelling(mongo, delivery)
    assert (found["status"], found["revision"]) == (status, 0)


@pytest.mark.parametrize("status", ["queued", "scheduled", "sending"])
async def test_what_a_person_wanted_after_all_is_not_cancelled_again_by_itself(mongo: Mongo, status: str) -> None:
    delivery = stored_delivery(status, retried_at=datetime.now(UTC))
    found, ended = await after_cancelling(mongo, delivery)
    assert (found["status"], found["revision"], ended) == (status, 0, 0)
    assert "called_off" not in found
