"""Fixtures for the real servers: one RabbitMQ and one mongod for the whole run, and private ones to be broken.

async def test_it_resumes(private_rabbitmq: Callable[[], PrivateRabbitMQ]) -> None:
    broker = private_rabbitmq()
    broker.kill()
    broker.start()
"""

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from local_stack.servers import PrivateMongo, PrivateRabbitMQ


def written_down(server: PrivateRabbitMQ) -> None:
    """Have RabbitMQ write down which queues it has, which it does every half second.

    On 3.10 a queue whose declaration a killed server had not written down never elects a leader again.
    """
    control(server, "[dets:sync(Table) || Table <- dets:all()].")


def control(server: PrivateRabbitMQ, expression: str) -> None:
    """Evaluate an Erlang expression on the server."""
    command = [*shlex.split(f"env {server.settings.control_command}"), "eval", expression]
    subprocess.run(command, check=True, capture_output=True, env=dict(os.environ), timeout=60)


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbitMQ]:
    """The run's RabbitMQ; it is shared, so a test must not stop it."""
    with PrivateRabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMongo]:
    """The run's mongod; it is shared, so a test must not stop it."""
    with PrivateMongo(tmp_path_factory.mktemp("mongodb")) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq: PrivateRabbitMQ) -> str:
    return rabbitmq.url


@pytest.fixture
def mongodb_url(mongodb: PrivateMongo) -> str:
    """The run's mongod with a database name that no other test uses."""
    return mongodb.url.replace("/kabar?", f"/test_{uuid4().hex[:16]}?")


@pytest.fixture
def private_rabbitmq(tmp_path: Path) -> Iterator[Callable[[], PrivateRabbitMQ]]:
    """Starts a RabbitMQ for this test alone, to be stopped, killed or paused at will."""
    started: list[PrivateRabbitMQ] = []

    def start() -> PrivateRabbitMQ:
        server = PrivateRabbitMQ(tmp_path / f"rabbitmq-{len(started)}")
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def private_mongodb(tmp_path: Path) -> Iterator[Callable[[], PrivateMongo]]:
    """Starts a mongod for this test alone, to be stopped, killed or paused at will."""
    started: list[PrivateMongo] = []

    def start() -> PrivateMongo:
        server = PrivateMongo(tmp_path / f"mongodb-{len(started)}")
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()
