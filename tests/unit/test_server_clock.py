"""The server's time is told whatever happens to the clock of this machine, and nobody acts before it is known."""

import asyncio
from datetime import UTC, datetime

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from common.kernel.failures import Transient
from common.mongo.server_clock import ServerClock

SERVER = 1_763_175_600.0
DAY = 86_400.0


class World:
    """A server and a machine whose clocks are moved by hand; each question takes `round_trip`."""

    def __init__(self, *, ahead: float = 0.0, round_trip: float = 0.002) -> None:
        self.elapsed = 1_000.0
        self.ahead = ahead
        self.server_ahead = 0.0
        self.round_trip = round_trip
        self.failures: list[Exception] = []
        self.clock = ServerClock(self.told, monotonic=self.monotonic, local=lambda: self.true + self.ahead)

    @property
    def true(self) -> float:
        return SERVER + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed

    async def told(self) -> datetime:
        if self.failures:
            raise self.failures.pop(0)
        self.elapsed += self.round_trip / 2
        milliseconds = int((self.true + self.server_ahead) * 1000)
        self.elapsed += self.round_trip / 2
        return datetime.fromtimestamp(milliseconds / 1000, UTC)

    def error(self) -> float:
        return self.clock.seconds() - self.true - self.server_ahead


@pytest.mark.parametrize("jump", [2 * DAY, -2 * DAY, 0.05], ids=repr)
async def test_a_jump_of_the_local_clock_moves_nothing(jump: float) -> None:
    world = World()
    await world.clock.sample()
    world.elapsed += 10
    world.ahead += jump
    assert abs(world.error()) < 0.002
    await world.clock.sample()
    assert abs(world.error()) < 0.002


@pytest.mark.parametrize("ahead", [2 * DAY, -2 * DAY, 0.3], ids=repr)
async def test_a_machine_whose_clock_is_wrong_from_the_start_tells_the_servers_time(ahead: float) -> None:
    world = World(ahead=ahead)
    await world.clock.sample()
    assert abs(world.error()) < 0.002


async def test_a_clock_that_agrees_with_the_server_is_believed_to_the_last_digit() -> None:
    world = World(ahead=0.0004)
    await world.clock.sample()
    assert world.error() == pytest.approx(0.0004, abs=1e-6)


async def test_a_difference_of_less_than_the_round_trip_does_not_make_the_clock_wobble() -> None:
    world = World(ahead=DAY)
    await world.clock.sample()
    before = world.error()
    world.server_ahead, world.round_trip = 0.02, 0.03
    await world.clock.sample()
    assert world.error() + 0.02 == pytest.approx(before, abs=1e-6)
    world.round_trip = 0.002
    await world.clock.sample()
    assert abs(world.error()) < 0.002


async def test_a_server_whose_clock_was_set_is_followed() -> None:
    world = World()
    await world.clock.sample()
    world.server_ahead = -5.0
    await world.clock.sample()
    assert abs(world.error()) < 0.002


async def test_before_the_first_sample_it_tells_nothing_and_is_not_ready() -> None:
    world = World()
    waiting = asyncio.create_task(world.clock.ready())
    for read in (world.clock.seconds, world.clock.now):
        with pytest.raises(Transient):
            read()
    world.failures = [AutoReconnect("away")]
    with pytest.raises(AutoReconnect):
        await world.clock.sample()
    assert not waiting.done()
    await world.clock.sample()
    await waiting
    assert world.clock.now().tzinfo is UTC


async def test_whatever_mongodb_answers_it_is_asked_again() -> None:
    world = World()
    world.failures = [OperationFailure("not authorised", 13)]
    running = asyncio.create_task(world.clock.run())
    async with asyncio.timeout(10):
        await world.clock.ready()
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
