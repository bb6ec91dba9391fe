"""What is known of a sender's device is shown with its age, and an operator can have it looked at."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.contracts.events import EnquiriesRequested
from common.messaging.broker import Envelope
from common.mongo.connection import Document, connect
from common.topology.declarations import enquiries_queue
from gateway.adapters.mongo_devices import MongoDevices
from gateway.domain.device import Device
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import Api, assert_error
from tests.support.bus import connected, emptied
from tests.support.stored_deliveries import stored_sender

CHECK = "/api/senders/fonnte-1/check"


@pytest.fixture(autouse=True)
def _empty(api: Api) -> Iterator[None]:
    yield
    api.rows["senders"].delete_many({})


@asynccontextmanager
async def answering_gateway(
    api: Api, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, *told: Device, provider: str = "fonnte"
) -> AsyncIterator[list[str]]:
    """A gateway whose provider answers so, each time it is asked; keeps which senders it was asked for."""
    await emptied(rabbitmq.url)
    asked: list[str] = []
    async with connect(mongodb.url.replace("/kabar?", f"/{api.rows.name}?"), name="test") as mongo:
        devices = MongoDevices(mongo["senders"])

        async def answer(envelope: Envelope[EnquiriesRequested]) -> None:
            for sender in envelope.event.devices_of:
                at = datetime.now(UTC)
                if await devices.begin(sender, at):
                    asked.append(sender)
                    for device in told:
                        await devices.told(sender, device, asked_at=at, answered_at=datetime.now(UTC))

        async with connected(rabbitmq.url, (enquiries_queue(provider), EnquiriesRequested, answer)):
            yield asked


def alive(**fields: Any) -> Document:
    return stored_sender("fonnte-1", **fields)


async def test_a_check_answers_what_the_provider_says_and_asks_it_once_in_a_while(
    api: Api, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo
) -> None:
    api.rows["senders"].insert_one(alive())
    device = Device(connected=False, quota=41)
    async with answering_gateway(api, rabbitmq, mongodb, device) as asked, api.client("noc") as client:
        answers = await asyncio.gather(*(client.post(CHECK) for _ in range(3)))
        answers.append(await client.post(CHECK))
    assert asked == ["fonnte-1"]
    for one in answers:
        assert one.status_code == 200, one.text
        body = one.json()
        assert (body["answered"], body["device"]["connected"], body["quota"]["remaining"]) == (True, False, 41)
        assert body["device"]["age_seconds"] <= 5
        assert body["quota"]["age_seconds"] <= 5


async def test_a_mail_server_is_checked_like_a_provider(
    api: Api, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo
) -> None:
    api.rows["senders"].insert_one(stored_sender("email-1", provider="email"))
    device = Device(connected=True)
    async with answering_gateway(api, rabbitmq, mongodb, device, provider="email") as asked, api.client() as client:
        answer = await client.post("/api/senders/email-1/check")
    assert (asked, answer.status_code) == (["email-1"], 200)
    assert (answer.json()["answered"], answer.json()["device"]["connected"]) == (True, True)


async def test_a_provider_that_does_not_answer_leaves_what_was_known(
    api: Api, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo
) -> None:
    before = datetime.now(UTC) - timedelta(hours=1)
    known = {"connected": True, "connected_at": before, "asked_at": before, "answered_at": before, "error": None}
    api.rows["senders"].insert_one(alive(device=known, quota_remaining=7, quota_total=100, quota_at=before))
    async with answering_gateway(api, rabbitmq, mongodb) as asked, api.client() as client:
        answer = await client.post(CHECK)
    assert asked == ["fonnte-1"]
    assert answer.status_code == 202
    body = answer.json()
    assert (body["answered"], body["device"]["connected"]) == (False, True)
    assert 3600 <= body["device"]["age_seconds"] < 3700
    assert (body["quota"]["remaining"], body["quota"]["total"]) == (7, 100)


async def test_a_refused_message_says_more_of_a_device_than_an_answer_the_dispatcher_does_not_believe(api: Api) -> None:
    at = datetime.now(UTC)
    circuit = {"state": "half_open", "reason": "request invalid on disconnected device", "failure": "disconnected",
               "opened_at": at, "retry_at": at, "openings": 1, "failures_in_row": 0, "recent": [],
               "revision": 1}  # fmt: skip
    device = {"connected": True, "connected_at": at - timedelta(minutes=1)}
    api.rows["senders"].insert_one(alive(circuit=circuit, device=device))
    async with api.client() as client:
        shown = (await client.get("/api/senders/fonnte-1")).json()["device"]
        assert shown["connected"] is False
        lagging = {"device.connected_at": at + timedelta(seconds=1)}
        api.rows["senders"].update_one({"_id": "fonnte-1"}, {"$set": lagging})
        assert (await client.get("/api/senders/fonnte-1")).json()["device"]["connected"] is False
        believed = {"circuit.back_at": at + timedelta(seconds=1)}
        api.rows["senders"].update_one({"_id": "fonnte-1"}, {"$set": believed})
        assert (await client.get("/api/senders/fonnte-1")).json()["device"]["connected"] is True


async def test_a_check_that_nobody_can_make_says_so(api: Api) -> None:
    api.rows["senders"].insert_one(stored_sender("fonnte-1", gateway_seen_at=datetime(2025, 1, 1, tzinfo=UTC)))
    async with api.client() as client:
        refused = assert_error(await client.post(CHECK), 409, "NO_SENDER")
        assert "silent" in refused["error"]
        assert_error(await client.post("/api/senders/none/check"), 404, "NOT_FOUND")
