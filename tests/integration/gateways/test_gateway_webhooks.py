"""What a provider posts becomes reports, news of senders and messages; what nobody can read blocks nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson

from common.contracts.event import Event
from common.contracts.events import (
    DeliveriesReported,
    MessageReceived,
    Reported,
    SenderReported,
    Webhook,
    WebhooksReceived,
)
from common.topology.declarations import ATTEMPTS, MESSAGES, PARKED, REPORTS
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import StartGateway
from tests.support.bus import Received, connected, eventually
from tests.support.gateways.dispatching import Dispatching

DEVICES = {"fonnte": "6281200000901", "wablas": "6281200000801"}


class Hearing:
    """What came out of a gateway."""

    def __init__(self) -> None:
        self.reports, self.written, self.parked = Received(), Received(), Received()

    def told(self) -> list[Any]:
        return [
            (report.reported, report.message_id)
            for event in self.reports.events
            if isinstance(event, DeliveriesReported)
            for report in event.reports
        ]

    def devices(self) -> list[SenderReported]:
        return [event for event in self.reports.events if isinstance(event, SenderReported)]

    def messages(self) -> list[MessageReceived]:
        return [event for event in self.written.events if isinstance(event, MessageReceived)]


@asynccontextmanager
async def hearing(rabbitmq_url: str) -> AsyncIterator[Hearing]:
    heard = Hearing()
    async with connected(
        rabbitmq_url, (REPORTS, Event, heard.reports), (MESSAGES, Event, heard.written), (PARKED, None, heard.parked)
    ):
        yield heard


async def post(dispatcher: Dispatching, *bodies: object) -> None:
    texts = [body if isinstance(body, str) else orjson.dumps(body).decode() for body in bodies]
    webhooks = [Webhook(content_type="application/json", body=text, received_at=datetime.now(UTC)) for text in texts]
    await dispatcher.broker.publish(ATTEMPTS, WebhooksReceived(provider=dispatcher.provider, webhooks=webhooks))


def incoming(provider: str) -> dict[str, Any]:
    if provider == "fonnte":
        return {"device": DEVICES[provider], "sender": "6281200000001", "message": "STOP", "inboxid": 7}
    return {"id": "7", "deviceId": "", "sender": DEVICES[provider], "phone": "6281200000001", "message": "STOP"}


def device(provider: str, status: str) -> dict[str, Any]:
    name = "device" if provider == "fonnte" else "sender"
    return {name: DEVICES[provider], "status": status}


async def test_reports_come_out_in_the_order_they_came_in_and_rubbish_between_them_is_parked(
    start_gateway: StartGateway, dispatcher: Dispatching, rabbitmq_url: str
) -> None:
    await start_gateway()
    async with hearing(rabbitmq_url) as heard:
        await post(
            dispatcher,
            {"id": "1", "status": "sent"},
            '{"id": "1", "status": "6281200000001 danced"}',
            "{",
            {"id": "1", "status": "delivered"},
        )
        await eventually(lambda: len(heard.told()) == 2 and len(heard.parked.envelopes) == 2)
        assert heard.told() == [(Reported.SENT, "1"), (Reported.DELIVERED, "1")]
        reasons = [event.headers["x-kabar-reason"] for event in heard.parked.events]
        assert all(dispatcher.provider in reason for reason in reasons)
        assert not any("6281200000001" in reason for reason in reasons)


async def test_devices_and_people_are_told_of_with_the_sender_we_know_them_by(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, rabbitmq_url: str
) -> None:
    await sandbox.disarm()
    await start_gateway()
    async with hearing(rabbitmq_url) as heard:
        body = incoming(dispatcher.provider)
        await post(dispatcher, device(dispatcher.provider, "disconnect"), body, body)
        await eventually(lambda: len(heard.devices()) == 1 and len(heard.messages()) == 2)
        [gone] = heard.devices()
        assert (gone.sender, gone.connected) == (dispatcher.sender, False)
        first, again = heard.messages()
        assert first.event_id == again.event_id
        assert (first.sender, first.message_from, first.text) == (dispatcher.sender, "6281200000001", "STOP")


async def test_a_device_that_is_none_of_ours_changes_nothing(
    start_gateway: StartGateway, dispatcher: Dispatching, rabbitmq_url: str
) -> None:
    await start_gateway()
    async with hearing(rabbitmq_url) as heard:
        name = "device" if dispatcher.provider == "fonnte" else "sender"
        await post(dispatcher, {name: "6281200000977", "status": "disconnect"}, {"id": "1", "status": "sent"})
        await eventually(lambda: len(heard.told()) == 1)
        assert not heard.devices()
