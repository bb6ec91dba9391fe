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
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from local_stack.servers import PrivateMongo, PrivateRabbitMQ

_SHARED = pytest.StashKey[str]()
_NEW = "test_"
_EMPTIED = "emptied"
_SOON_EMPTIED = 1_000


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
def mongodb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMongo]:
    """The run's mongod; it is shared, so a test must not stop it."""
    with PrivateMongo(tmp_path_factory.mktemp("mongodb")) as server:
        request.config.stash[_SHARED] = server.url
        with MongoClient[dict[str, Any]](server.url) as client:
            # What a test dates by a clock of its own is not the server's to delete by the real one.
            client.admin.command({"setParameter": 1, "ttlMonitorEnabled": False})
        yield server


def new_database(mongodb: PrivateMongo) -> str:
    """The run's mongod with a database name that no other test uses; it is dropped after the module."""
    return mongodb.url.replace("/kabar?", f"/{_NEW}{uuid4().hex[:16]}?")


@pytest.fixture(scope="module", autouse=True)
def _new_databases_go(request: pytest.FixtureRequest) -> Iterator[None]:
    """A server that keeps hundreds of them, each with its indexes, takes seconds for what takes milliseconds."""
    yield
    url = request.config.stash.get(_SHARED, None)
    if url is not None:
        with MongoClient[dict[str, Any]](url) as client:
            for name in client.list_database_names():
                if name.startswith(_NEW):
                    client.drop_database(name)


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq: PrivateRabbitMQ) -> str:
    return rabbitmq.url


@pytest.fixture
def mongodb_url(mongodb: PrivateMongo) -> str:
    """The run's mongod with a database name that no other test uses."""
    return new_database(mongodb)


@pytest.fixture
def emptied_mongodb_url(mongodb: PrivateMongo) -> str:
    """A database with nothing in it but the indexes of the test before: making them takes a second, this nothing."""
    with MongoClient[dict[str, Any]](mongodb.url) as client:
        database = client[_EMPTIED]
        for name in database.list_collection_names(filter={"name": {"$not": {"$regex": "^system[.]"}}}):
            if database[name].estimated_document_count() > _SOON_EMPTIED:
                database[name].drop()
            else:
                database[name].delete_many({})
    return mongodb.url.replace("/kabar?", f"/{_EMPTIED}?")


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
def private_mongodb(tmp_path: Path) -> Iterator[Callable[..., PrivateMongo]]:
    """Starts a mongod for this test alone, to be stopped, killed or paused at will; arguments are its parameters."""
    started: list[PrivateMongo] = []

    def start(**parameters: str) -> PrivateMongo:
        server = PrivateMongo(tmp_path / f"mongodb-{len(started)}", parameters)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()
