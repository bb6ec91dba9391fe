"""What every process tells Prometheus of itself and of what it leans on."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from pymongo.monitoring import CommandFailedEvent, CommandSucceededEvent

from common.http.operations import operations_app
from common.messaging.broker import Envelope, Subscription
from common.mongo.measuring import CommandTimes
from common.topology.declarations import OUTCOMES


async def test_each_check_of_readyz_is_one_or_zero_as_it_is_now() -> None:
    states = {"mongodb": True, "rabbitmq": False}
    checks: dict[str, Callable[[], bool]] = {name: partial(states.__getitem__, name) for name in states}
    app = operations_app(checks, CollectorRegistry())

    async def shown() -> list[str]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://process") as http:
            text = (await http.get("/metrics")).text
        return [line for line in text.splitlines() if line.startswith("readiness_check_passed{")]

    assert await shown() == [
        'readiness_check_passed{check="mongodb"} 1.0',
        'readiness_check_passed{check="rabbitmq"} 0.0',
    ]
    states["rabbitmq"] = True
    assert 'readiness_check_passed{check="rabbitmq"} 1.0' in await shown()


async def test_the_oldest_envelope_in_hand_is_the_one_that_came_first() -> None:
    async def handle(_: Envelope[Any]) -> None: ...

    subscription = Subscription(OUTCOMES, None, handle, prefetch=2)
    assert subscription.oldest_seconds() == 0
    first, second = (asyncio.create_task(asyncio.sleep(0)) for _ in range(2))
    now = time.monotonic()
    subscription.running = {first: now - 4e6, second: now - 100}
    assert subscription.oldest_seconds() >= 4e6
    del subscription.running[first]
    assert 100 <= subscription.oldest_seconds() < 4e6
    await asyncio.gather(first, second)


def test_a_command_is_timed_under_its_name_a_rare_one_under_other_and_a_refused_one_counts_twice() -> None:
    registry = CollectorRegistry()
    times = CommandTimes(registry)
    here = ("127.0.0.1", 27017)
    for name in ("find", "serverStatus"):
        times.succeeded(CommandSucceededEvent(timedelta(milliseconds=3), {}, name, 1, here, None))
    times.failed(CommandFailedEvent(timedelta(milliseconds=3), {}, "find", 1, here, None))
    counted = [
        registry.get_sample_value("mongodb_command_duration_seconds_count", {"command": command})
        for command in ("find", "other", "insert")
    ]
    assert counted == [2, 1, 0]
    assert registry.get_sample_value("mongodb_command_failed_total", {"command": "find"}) == 1
