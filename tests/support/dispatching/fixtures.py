"""`dispatching`: a world of its own for every test, in a virtual host that no other test's services listen in."""

from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest

from common.topology.declarations import QUEUES
from local_stack.servers import PrivateRabbitMQ
from tests.support.dispatching.world import World, world
from tests.support.servers import control

_VIRTUAL_HOST = "dispatching"


@pytest.fixture(scope="session")
def dispatching_rabbitmq_url(rabbitmq: PrivateRabbitMQ) -> str:
    """The run's RabbitMQ, in a virtual host for tests of the dispatcher."""
    making = (
        f'rabbit_vhost:add(<<"{_VIRTUAL_HOST}">>, <<"test">>), '
        f'rabbit_auth_backend_internal:set_permissions(<<"guest">>, <<"{_VIRTUAL_HOST}">>, <<".*">>, <<".*">>, '
        '<<".*">>, <<"test">>).'
    )
    control(rabbitmq, making)
    return rabbitmq.url + _VIRTUAL_HOST


@pytest.fixture
async def dispatching(dispatching_rabbitmq_url: str, emptied_mongodb_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """No envelope of another test is left in its queues."""
    async with await aio_pika.connect(dispatching_rabbitmq_url) as connection:
        channel = await connection.channel()
        for queue in QUEUES:
            await channel.queue_delete(queue.name)
    async with world(dispatching_rabbitmq_url, emptied_mongodb_url, tmp_path) as made:
        yield made
