"""The job `provider-check` has every device looked at that can be, and says whose provider did not answer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from common.contracts.documents import SenderDocument
from common.testing.clock import HandClock
from scheduler.application.check_devices import PATIENCE, CheckDevices
from scheduler.domain.firing import Firing


class World:
    """Senders whose providers answer what they are told to as soon as they are asked; time goes by while one looks."""

    def __init__(self, answers: dict[str, str | None]) -> None:
        self.clock = HandClock()
        self.answers = answers
        self.devices: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, Sequence[str]]] = []

    async def all(self) -> list[SenderDocument]:
        senders = [self.sender(name) for name in ("email-1", "fonnte-1", "fonnte-2", "wablas-1")]
        senders.append(self.sender("wablas-2", gateway_seen_at=self.clock.now() - timedelta(seconds=5)))
        self.clock.advance(PATIENCE.total_seconds() / 4)
        return senders

    def sender(self, name: str, **fields: Any) -> SenderDocument:
        known = {"_id": name, "provider": name.partition("-")[0], "gateway_seen_at": self.clock.now()}
        return cast("SenderDocument", {**known, "device": self.devices.get(name, {}), **fields})

    async def devices_of(self, provider: str, senders: Sequence[str], deadline: datetime) -> None:
        assert deadline > self.clock.now()
        self.asked.append((provider, senders))
        for name in senders:
            if name in self.answers:
                self.devices[name] = {"answered_at": self.clock.now(), "error": self.answers[name]}

    def job(self) -> CheckDevices:
        return CheckDevices(self, _Asking(self), self.clock)


class _Asking:
    def __init__(self, world: World) -> None:
        self._world = world

    async def devices(self, provider: str, senders: Sequence[str], deadline: datetime) -> None:
        await self._world.devices_of(provider, senders, deadline)


def firing(world: World, *, dry_run: bool = False) -> Firing:
    return Firing("provider-check", world.clock.now(), world.clock.now().date(), dry_run)


async def test_it_asks_each_provider_once_and_tells_what_came_of_it() -> None:
    world = World({"email-1": None, "fonnte-1": None, "fonnte-2": "invalid token"})
    tally = await world.job().run(firing(world))
    assert world.asked == [
        ("email", ["email-1"]),
        ("fonnte", ["fonnte-1", "fonnte-2"]),
        ("wablas", ["wablas-1"]),
    ]
    assert (tally.found, tally.dispatched, tally.skipped) == (5, 4, {"cannot be asked": 1})
    assert tally.errors == ["fonnte-2: invalid token", "wablas-1: no answer"]


async def test_it_waits_no_longer_than_until_all_have_answered() -> None:
    world = World({"email-1": None, "fonnte-1": None, "fonnte-2": None, "wablas-1": None})
    begun_at = world.clock.now()
    tally = await world.job().run(firing(world))
    assert not tally.errors
    assert world.clock.now() - begun_at < PATIENCE


async def test_a_dry_run_asks_nobody() -> None:
    world = World({})
    tally = await world.job().run(firing(world, dry_run=True))
    assert (world.asked, tally.dispatched) == ([], 4)
