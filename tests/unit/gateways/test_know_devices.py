"""A device that is named is found among our accounts, or the webhook waits until each of them could be asked."""

from collections.abc import Mapping
from typing import Any

import pytest

from common.kernel.failures import Transient
from gateway.application.know_devices import ASK_AGAIN, KnowDevices
from gateway.domain.account import Account
from gateway.domain.dialect import Call
from gateway_fonnte.domain.enquiries import FonnteEnquiries
from tests.support.gateways.attempting import TickingClock

DEVICES = {"TOKEN-ONE": "6281200000901", "TOKEN-TWO": "6281200000902"}
STRANGER = "6281200000977"


class Provider:
    """Every account says which device it is, those apart whose tokens are `silent`."""

    def __init__(self, *silent: str) -> None:
        self.silent = set(silent)
        self.asked: list[str] = []

    async def ask(self, call: Call) -> Mapping[str, Any]:
        token = call.headers["authorization"]
        self.asked.append(token)
        if token in self.silent:
            raise Transient("no answer")
        return {"status": True, "device": DEVICES[token]}


def devices(provider: Provider, clock: TickingClock) -> KnowDevices:
    accounts = {f"fonnte-{index}": Account(f"fonnte-{index}", token) for index, token in enumerate(DEVICES, 1)}
    return KnowDevices(accounts, provider, FonnteEnquiries("https://api.fonnte.com/send"), clock.seconds)


async def test_while_the_accounts_do_not_answer_the_webhook_waits_and_then_is_understood() -> None:
    provider, clock = Provider(*DEVICES), TickingClock()
    known = devices(provider, clock)
    for _ in range(3):
        with pytest.raises(Transient):
            await known.sender_of("6281200000902")
    assert sorted(provider.asked) == sorted(DEVICES)
    provider.silent.clear()
    clock.time += ASK_AGAIN
    assert await known.sender_of("081200000902") == "fonnte-2"


async def test_the_one_account_that_does_not_answer_is_the_one_named() -> None:
    provider = Provider("TOKEN-TWO")
    assert await devices(provider, TickingClock()).sender_of("6281200000902") == "fonnte-2"


async def test_once_every_account_answered_a_stranger_is_nobody_and_asked_about_seldom() -> None:
    provider, clock = Provider(), TickingClock()
    known = devices(provider, clock)
    for _ in range(3):
        clock.time += ASK_AGAIN
        assert await known.sender_of(STRANGER) is None
    assert len(provider.asked) == len(DEVICES)
