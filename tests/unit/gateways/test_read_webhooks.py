"""While accounts cannot say which device they are, news of a device waits and what people wrote does not."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from common.contracts.events import MessageReceived, Report, SenderReported, Webhook, WebhooksReceived
from common.kernel.failures import Permanent, Transient
from gateway.application.know_devices import KnowDevices
from gateway.application.read_webhooks import ReadWebhooks
from gateway.domain.account import Account
from gateway.domain.dialect import Call
from gateway_fonnte.domain.enquiries import FonnteEnquiries
from gateway_fonnte.domain.webhooks import FonnteWebhooks

DEVICE = "6281200000901"


class Silent:
    async def ask(self, call: Call) -> Mapping[str, Any]:
        raise Transient(f"no answer to {call.method}")


class Told:
    """What came out, and how it was counted."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.news: list[SenderReported | MessageReceived] = []
        self.counted: list[str] = []
        self.back: list[str] = []
        self.devices: list[tuple[str, bool]] = []

    def put(self, report: Report) -> asyncio.Future[None]:
        self.reports.append(report)
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        safe.set_result(None)
        return safe

    async def reported(self, news: SenderReported) -> None:
        self.news.append(news)

    async def received(self, message: MessageReceived) -> None:
        self.news.append(message)

    async def handed_back(self, webhooks: WebhooksReceived) -> None:
        self.back += [one.body for one in webhooks.webhooks]

    async def said(self, sender: str, *, connected: bool, at: datetime) -> None:
        assert at.tzinfo is not None
        self.devices.append((sender, connected))

    def webhook(self, said: str) -> None:
        self.counted.append(said)


def reading(told: Told) -> ReadWebhooks:
    accounts = {sender: Account(sender, f"TOKEN-OF-{sender}") for sender in ("fonnte-1", "fonnte-2")}
    devices = KnowDevices(accounts, Silent(), FonnteEnquiries("https://api.fonnte.com/send"))
    return ReadWebhooks(
        "fonnte", webhooks=FonnteWebhooks(), devices=devices, kept=told, reports=told, news=told, observer=told
    )


async def read(told: Told, *bodies: object) -> None:
    await reading(told)(WebhooksReceived(provider="fonnte", webhooks=[webhook(body) for body in bodies]))


def webhook(body: object) -> Webhook:
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    return Webhook(content_type="application/json", body=text, received_at=datetime.now(UTC))


async def test_news_of_a_device_is_read_again_later() -> None:
    told = Told()
    with pytest.raises(Transient):
        await read(told, {"device": DEVICE, "status": "disconnect"})
    assert not told.news


async def test_what_somebody_wrote_does_not_wait() -> None:
    told = Told()
    await read(told, {"device": DEVICE, "sender": "6281200000001", "message": "STOP", "inboxid": 7})
    [message] = told.news
    assert isinstance(message, MessageReceived)
    assert (message.sender, message.text) == ("fonnte", "STOP")


async def test_what_is_not_understood_is_counted_and_the_rest_is_told() -> None:
    told = Told()
    await read(told, {"device": DEVICE, "id": "1", "stateid": "3EB0", "status": "sent", "state": "server"})
    assert [(report.message_id, report.state_id) for report in told.reports] == [("1", "3EB0")]
    assert told.counted == ["report", "not_understood"]


async def test_what_cannot_be_read_comes_again_alone_and_takes_nothing_with_it() -> None:
    told = Told()
    gone = orjson.dumps({"device": DEVICE, "status": "disconnect"}).decode()
    await read(told, {"id": "1", "status": "sent"}, "{", gone, {"id": "2", "status": "sent"})
    assert [report.message_id for report in told.reports] == ["1", "2"]
    assert told.back == ["{", gone]
    for alone, failure in (("{", Permanent), (gone, Transient)):
        with pytest.raises(failure):
            await read(told, alone)
    assert told.back == ["{", gone]


@pytest.mark.parametrize("text", ["half \ud83d", "\ud83d"])
async def test_half_an_emoji_can_be_told(text: str) -> None:
    told = Told()
    await read(told, json.dumps({"device": DEVICE, "sender": "6281200000001", "message": text}))
    [message] = told.news
    assert message.encode()


async def test_a_form_in_an_unknown_character_set_is_unreadable() -> None:
    told = Told()
    part = 'Content-Disposition: form-data; name="id"\r\nContent-Type: text/plain; charset=foo\r\n\r\n1'
    odd = Webhook(
        content_type="multipart/form-data; boundary=b", body=f"--b\r\n{part}\r\n--b--", received_at=datetime.now(UTC)
    )
    with pytest.raises(Permanent, match="character set"):
        await reading(told)(WebhooksReceived(provider="fonnte", webhooks=[odd]))
