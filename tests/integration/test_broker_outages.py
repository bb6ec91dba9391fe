"""A RabbitMQ that is killed or hangs costs time and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from common.contracts.events import NotificationAccepted
from common.kernel.failures import Transient
from common.messaging.broker import Broker
from common.topology.declarations import EVENTS, NOTIFICATIONS, PARKED
from local_stack.servers import PrivateRabbitMQ
from tests.support.bus import Received, connected, eventually
from tests.support.servers import written_down


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbitMQ]:
    with PrivateRabbitMQ(tmp_path_factory.mktemp("broken")) as server:
        yield server


class Publishing:
    """Publishes one envelope after the other and knows which of them were confirmed."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._next = 0
        self.confirmed: set[str] = set()
        self.refused = 0

    async def run(self) -> None:
        while True:
            self._next += 1
            name = f"ntf_{self._next}"
            try:
                await self._broker.publish(EVENTS, NotificationAccepted(notification_ids=[name]), timeout=1)
            except Transient:
                self.refused += 1
            else:
                self.confirmed.add(name)
            await asyncio.sleep(0.001)


@asynccontextmanager
async def under_load(url: str) -> AsyncIterator[tuple[Broker, Publishing, Received]]:
    """Ten publishers and a consumer; at the end everything confirmed was received and nothing was parked."""
    received, parked = Received(), Received()
    async with connected(
        url, (NOTIFICATIONS, NotificationAccepted, received), (PARKED, None, parked), prefetch=50
    ) as broker:
        publishing = Publishing(broker)
        publishers = [asyncio.create_task(publishing.run()) for _ in range(10)]
        await eventually(lambda: len(received.envelopes) > 100)
        yield broker, publishing, received
        for publisher in publishers:
            publisher.cancel()
        await asyncio.gather(*publishers, return_exceptions=True)
        await eventually(lambda: publishing.confirmed <= {event.notification_ids[0] for event in received.events})
    assert not parked.envelopes


async def test_after_a_broker_was_killed_everything_confirmed_arrives_and_work_goes_on(
    server: PrivateRabbitMQ,
) -> None:
    async with under_load(server.url) as (broker, publishing, received):
        await asyncio.to_thread(written_down, server)
        server.kill()
        await eventually(lambda: not broker.connected)
        await eventually(lambda: publishing.refused >= 10)
        await asyncio.to_thread(server.start)
        await eventually(lambda: broker.connected)
        before = len(received.envelopes)
        await eventually(lambda: len(received.envelopes) > before + 100)


async def test_a_broker_that_hung_is_used_again_once_it_answers(server: PrivateRabbitMQ) -> None:
    async with under_load(server.url) as (broker, publishing, received):
        server.pause()
        try:
            await eventually(lambda: publishing.refused >= 100)
        finally:
            server.resume()
        await eventually(lambda: broker.connected)
        before = len(received.envelopes)
        await eventually(lambda: len(received.envelopes) > before + 100, seconds=40)


async def test_many_that_are_unconfirmed_when_the_broker_dies_are_not_taken_and_nobody_is_cancelled(
    server: PrivateRabbitMQ,
) -> None:
    many = [NotificationAccepted(notification_ids=[f"ntf_{n}"]) for n in range(500)]
    async with connected(server.url) as broker:
        await asyncio.to_thread(written_down, server)
        for _ in range(3):
            server.pause()
            publishing = [asyncio.create_task(broker.publish_many(EVENTS, many, timeout=10)) for _ in range(3)]
            await asyncio.sleep(0.2)  # as much as goes out without an answer
            server.kill()
            ends = await asyncio.gather(*publishing, return_exceptions=True)
            assert {type(end) for end in ends} == {Transient}
            await asyncio.to_thread(server.start)
            await eventually(lambda: broker.connected)


async def test_nothing_is_left_of_a_connection_that_was_given_up(server: PrivateRabbitMQ) -> None:
    async with connected(server.url) as broker:
        given_up = broker._connection
        assert given_up is not None
        server.pause()
        try:
            await eventually(lambda: broker._connection is not given_up and given_up.is_closed)
        finally:
            server.resume()


async def test_a_broker_that_is_not_there_yet_is_waited_for(server: PrivateRabbitMQ) -> None:
    server.stop()
    received = Received()
    starting = asyncio.create_task(asyncio.to_thread(server.start))
    async with connected(server.url, (NOTIFICATIONS, NotificationAccepted, received)) as broker:
        await broker.publish(EVENTS, NotificationAccepted(notification_ids=["ntf_0"]))
        await eventually(lambda: bool(received.envelopes))
    await starting
