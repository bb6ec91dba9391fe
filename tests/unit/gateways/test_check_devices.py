"""What a device check finds out is kept, and told like any other word of the provider."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from common.contracts.events import EnquiriesRequested, MessageReceived, SenderReported, WebhooksReceived
from common.contracts.vocabulary import FailureClass
from common.kernel.failures import Transient
from gateway.application.check_devices import CheckDevices
from gateway.domain.account import Account
from gateway.domain.answer import Refused
from gateway.domain.device import Device
from gateway_fonnte.domain.enquiries import FonnteEnquiries
from tests.support.gateways.attempting import TickingClock


class World:
    """The provider that answers, and everything that is kept and told."""

    def __init__(self, answer: Mapping[str, Any] | Device | None) -> None:
        self.clock = TickingClock()
        self._answer = answer
        self.asked: list[str] = []
        self.begun: list[str] = []
        self.lately = False
        self.kept: list[Device] = []
        self.connected: list[bool] = []
        self.errors: list[str] = []
        self.news: list[SenderReported] = []

    async def look(self, account: Account) -> Device:
        self.asked.append(account.sender)
        if self._answer is None:
            raise Transient("no answer to an enquiry: ReadTimeout")
        if isinstance(self._answer, Device):
            return self._answer
        return FonnteEnquiries("https://api.fonnte.com/send").read_device(self._answer)

    async def begin(self, sender: str, at: datetime) -> bool:
        assert at <= self.clock.now()
        self.begun.append(sender)
        return not self.lately

    async def told(self, sender: str, device: Device, *, asked_at: datetime, answered_at: datetime) -> None:
        assert sender == "fonnte-1"
        assert asked_at <= answered_at
        self.kept.append(device)

    async def silent(self, sender: str, error: str, *, answered_at: datetime) -> None:
        assert sender == "fonnte-1"
        assert answered_at.tzinfo is not None
        self.errors.append(error)

    async def said(self, sender: str, *, connected: bool, at: datetime) -> None:
        assert sender == "fonnte-1"
        assert at.tzinfo is not None
        self.connected.append(connected)

    async def reported(self, news: SenderReported) -> None:
        self.news.append(news)

    async def received(self, message: MessageReceived) -> None:
        raise AssertionError(message)

    async def handed_back(self, webhooks: WebhooksReceived) -> None:
        raise AssertionError(webhooks)

    async def check(self, *senders: str, seconds: float = 30) -> None:
        check = CheckDevices(
            {"fonnte-1": Account("fonnte-1", "TOKEN")},
            look=self.look,
            devices=self,
            news=self,
            clock=self.clock,
        )
        deadline = self.clock.now() + timedelta(seconds=seconds)
        await check(EnquiriesRequested(provider="fonnte", deadline=deadline, devices_of=list(senders)))


async def test_what_is_said_of_a_device_is_kept_and_told() -> None:
    world = World({"status": True, "device": "6281200000901", "device_status": "disconnect", "quota": "5"})
    await world.check("fonnte-1", "fonnte-7")
    assert world.asked == ["fonnte-1"]
    [device] = world.kept
    assert (device.connected, device.quota) == (False, 5)
    [news] = world.news
    assert (news.sender, news.connected, news.failure, news.checked) == ("fonnte-1", False, None, True)


async def test_a_refused_token_takes_the_sender_out_and_is_told_without_secrets() -> None:
    world = World({"status": False, "reason": "invalid token of 6281200000901"})
    await world.check("fonnte-1")
    [news] = world.news
    assert (news.connected, news.failure) == (False, FailureClass.AUTH)
    assert "6281200000901" not in f"{news.reason} {world.errors}"
    assert world.errors
    assert not world.kept


async def test_a_mail_server_that_does_not_let_us_in_is_shown_as_not_connected() -> None:
    world = World(Device(connected=False, refused=Refused(FailureClass.AUTH, "login: 535 no")))
    await world.check("fonnte-1")
    [news] = world.news
    assert (news.connected, news.failure) == (False, FailureClass.AUTH)
    assert (world.connected, world.errors) == ([False], ["login: 535 no"])


async def test_an_answer_that_says_nothing_of_the_device_takes_nobody_out() -> None:
    used_up = {"status": True, "device_status": "connect", "quota": "0"}
    for answer in (None, {"status": False, "reason": "ask later"}, {"status": True}, used_up):
        world = World(answer)
        await world.check("fonnte-1")
        assert not world.news
        assert bool(world.errors) is (answer not in ({"status": True}, used_up))


async def test_a_device_is_not_asked_about_twice_in_a_moment_nor_when_nobody_waits_any_more() -> None:
    world = World({"status": True})
    await world.check("fonnte-1", seconds=0)
    assert not world.begun
    world.lately = True
    await world.check("fonnte-1")
    assert not world.asked
