"""A gateway that is asked how a device is asks its provider, and everybody can see what it said."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.contracts.events import EnquiriesRequested, SenderReported
from common.mongo.connection import Document, connect
from common.topology.declarations import ATTEMPTS, REPORTS
from gateway.adapters.mongo_devices import MongoDevices
from gateway.adapters.mongo_quotas import OVERTAKEN
from gateway.domain.device import Device
from local_stack.ports import free_port
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import StartGateway
from tests.support.bus import Received, connected, eventually
from tests.support.gateways.dispatching import Dispatching
from tests.support.kabar import eventually as asked_until


async def ask(dispatcher: Dispatching) -> Document:
    """Have the device looked at, as if it had not been for long; the sender's document after that."""
    senders = dispatcher.mongo["senders"]

    async def registered() -> Document | None:
        return await senders.find_one({"_id": dispatcher.sender})

    await asked_until(registered, seconds=10)
    await senders.update_one({"_id": dispatcher.sender}, {"$unset": {"device.asked_at": "", "device.answered_at": ""}})
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    await dispatcher.broker.publish(
        ATTEMPTS,
        EnquiriesRequested(provider=dispatcher.provider, deadline=deadline, devices_of=[dispatcher.sender]),
    )

    async def answered() -> Document | None:
        return await senders.find_one({"_id": dispatcher.sender, "device.answered_at": {"$exists": True}})

    return await asked_until(answered, seconds=10)


async def test_a_check_keeps_connection_quota_and_expiry_and_tells_the_dispatcher(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, rabbitmq_url: str
) -> None:
    await start_gateway()
    await sandbox.set_quota(dispatcher.provider, 78)
    heard = Received()
    async with connected(rabbitmq_url, (REPORTS, SenderReported, heard)):
        sender = await ask(dispatcher)
        assert (sender["device"]["connected"], sender["device"]["error"]) == (True, None)
        assert (sender["quota_remaining"], sender["device"]["expires_on"]) == (78, "2029-11-18")
        await sandbox.disconnect(dispatcher.provider)
        sender = await ask(dispatcher)
        assert sender["device"]["connected"] is False
        await eventually(lambda: len(heard.events) == 2)
    assert [(news.connected, news.checked) for news in heard.events] == [(True, True), (False, True)]


async def test_a_provider_that_answers_with_rubbish_takes_nothing_from_what_is_known(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    await ask(dispatcher)
    await sandbox.respond(dispatcher.provider, http_status=502, endpoint="any")
    device = (await ask(dispatcher))["device"]
    assert device["connected"] is True
    assert "502" in device["error"]


async def test_a_token_that_is_refused_is_told(
    start_gateway: StartGateway, dispatcher: Dispatching, rabbitmq_url: str
) -> None:
    await start_gateway(**{f"{dispatcher.provider.upper()}_API_TOKEN": "not-a-token"})
    heard = Received()
    async with connected(rabbitmq_url, (REPORTS, SenderReported, heard)):
        device = (await ask(dispatcher))["device"]
        assert "token" in device["error"]
        assert "connected" not in device
        assert (await heard.first()).failure == "auth"


@pytest.mark.parametrize("provider", ["email"], indirect=True)
async def test_a_mail_server_that_lets_us_in_is_connected_and_one_that_is_not_there_is_not_known(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, rabbitmq_url: str
) -> None:
    first = await start_gateway()
    heard = Received()
    async with connected(rabbitmq_url, (REPORTS, SenderReported, heard)):
        device = (await ask(dispatcher))["device"]
        assert (device["connected"], device["error"]) == (True, None)
        news = await heard.first()
    assert (news.sender, news.connected, news.checked) == ("email-1", True, True)
    assert await sandbox.mails() == []
    await first.stopped()
    await start_gateway(MAIL_PORT=str(free_port(frozenset())))
    device = (await ask(dispatcher))["device"]
    assert device["connected"] is True
    assert device["error"]


async def kept(emptied_mongodb_url: str, *tellings: dict[str, Any]) -> Document:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        senders = mongo["senders"]
        await senders.insert_one({"_id": "fonnte-1"})
        for telling in tellings:
            at = datetime.now(UTC)
            await MongoDevices(senders).told("fonnte-1", Device(**telling), asked_at=at, answered_at=at)
        found = await senders.find_one({"_id": "fonnte-1"})
        assert found is not None
        return found


async def test_the_total_of_a_quota_is_known_once_it_was_topped_up(emptied_mongodb_url: str) -> None:
    sender = await kept(emptied_mongodb_url, {"quota": 1_000}, {"quota": 40}, {"quota": 40 + OVERTAKEN})
    assert "quota_total" not in sender


async def test_the_total_of_a_quota_is_what_there_was_after_the_last_top_up(emptied_mongodb_url: str) -> None:
    sender = await kept(
        emptied_mongodb_url, {"quota": 40}, {"quota": 10_000}, {"quota": 30}, {"quota": 1_000}, {"quota": 999}
    )
    assert (sender["quota_remaining"], sender["quota_total"]) == (999, 1_000)


async def test_an_unlimited_account_has_no_quota_to_run_out_of(emptied_mongodb_url: str) -> None:
    sender = await kept(emptied_mongodb_url, {"quota": 40}, {"quota": 10_000}, {"unlimited": True})
    assert {"quota_remaining", "quota_total", "quota_at"}.isdisjoint(sender)


async def test_of_two_words_on_a_device_the_later_counts(emptied_mongodb_url: str) -> None:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        senders, now = mongo["senders"], datetime.now(UTC).replace(microsecond=0)
        await senders.insert_one({"_id": "fonnte-1"})
        devices = MongoDevices(senders)
        await devices.said("fonnte-1", connected=False, at=now)
        await devices.said("fonnte-1", connected=True, at=now - timedelta(seconds=1))
        found = await senders.find_one({"_id": "fonnte-1"})
        assert found is not None
        assert found["device"] == {"connected": False, "connected_at": now}
