"""Brokers that run in the background of a test, and ways to look at what arrived."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
from prometheus_client import CollectorRegistry

from common.contracts.event import Event
from common.messaging.broker import Broker, Envelope, Handler, connect
from common.topology.declarations import QUEUES, Exchange, Queue


async def eventually(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    """Return as soon as the condition holds; fail when it does not within so many seconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the other side is another process
            await asyncio.sleep(0.01)


class Received:
    """A handler that keeps what it is given; `failing` is raised by the first calls, one each."""

    def __init__(self, *failing: Exception) -> None:
        self.envelopes: list[Envelope[Any]] = []
        self.calls = 0
        self._failing = list(failing)

    async def __call__(self, envelope: Envelope[Any]) -> None:
        self.calls += 1
        if self._failing:
            raise self._failing.pop(0)
        self.envelopes.append(envelope)

    @property
    def events(self) -> list[Any]:
        return [envelope.event for envelope in self.envelopes]

    async def first(self) -> Any:
        await eventually(lambda: bool(self.envelopes))
        return self.envelopes[0].event


Subscribed = tuple[Queue, type[Event] | None, Handler]


@asynccontextmanager
async def connected(
    url: str,
    *subscribed: Subscribed,
    prefetch: int = 10,
    transient: tuple[type[Exception], ...] = (),
    ready: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[Broker]:
    """A broker that is connected and consumes."""
    async with connect(url, name="test", transient=transient, registry=CollectorRegistry()) as broker:
        for queue, event, handler in subscribed:
            broker.subscribe(queue, event, handler, prefetch=prefetch)
        if ready is not None:
            broker.begin_after(ready)
        running = asyncio.create_task(broker.run())
        try:
            await eventually(lambda: broker.connected or running.done())
            for queue, _, _ in subscribed:
                await broker.bind(queue, queue.routing_keys)
            yield broker
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def raw_channel(url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """A channel of its own, for what no broker of ours would do."""
    async with await aio_pika.connect(url) as connection:
        yield await connection.channel()


async def publish_raw(url: str, exchange: Exchange, routing_key: str, body: bytes) -> None:
    async with raw_channel(url) as channel:
        there = await channel.get_exchange(exchange.name)
        await there.publish(aio_pika.Message(body, message_id="env_raw"), routing_key)


async def emptied(url: str) -> None:
    """Throw away what earlier tests left in the queues."""
    async with connected(url), raw_channel(url) as channel:
        for queue in QUEUES:
            await (await channel.get_queue(queue.name)).purge()


async def ready(url: str, queue: Queue) -> int:
    """How many envelopes of a queue nobody has taken."""
    async with raw_channel(url) as channel:
        declared = await channel.declare_queue(queue.name, passive=True)
        return declared.declaration_result.message_count or 0
