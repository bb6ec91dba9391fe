"""A blank RabbitMQ takes our configuration and definitions at its start, and the services agree with them."""

import base64
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.contracts.events import NotificationAccepted
from common.topology.declarations import EVENTS, NOTIFICATIONS, QUEUES
from local_stack.servers import PrivateRabbitMQ
from tests.support.bus import connected, raw_channel, ready

DEFINITIONS = Path(__file__).parents[2] / "deploy" / "rabbitmq" / "definitions.json"


@pytest.fixture
def imported(tmp_path: Path) -> Iterator[PrivateRabbitMQ]:
    """A broker that never saw a service. A node that imports at its start makes no default user, so one is added."""
    definitions = json.loads(DEFINITIONS.read_text())
    salt = b"salt"
    digest = base64.b64encode(salt + hashlib.sha256(salt + b"guest").digest()).decode()
    definitions["users"] = [
        {"name": "guest", "password_hash": digest, "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": ""}
    ]
    definitions["permissions"] = [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]
    server = PrivateRabbitMQ(tmp_path)
    server.settings.prepare()
    (tmp_path / "definitions.json").write_text(json.dumps(definitions))
    shutil.copy(DEFINITIONS.with_name("rabbitmq.conf"), tmp_path / "conf.d" / "90-kabar.conf")
    (tmp_path / "conf.d" / "10-definitions.conf").write_text(f"load_definitions = {tmp_path / 'definitions.json'}\n")
    with server:
        yield server


async def test_imported_definitions_are_what_the_services_declare(imported: PrivateRabbitMQ) -> None:
    async with raw_channel(imported.url) as channel:
        for queue in QUEUES:
            await channel.declare_queue(queue.name, passive=True)
            await channel.declare_queue(queue.name, durable=True, arguments=queue.arguments)
    async with connected(imported.url) as broker:
        await broker.publish(EVENTS, NotificationAccepted(notification_ids=["ntf_1"]))
        assert await ready(imported.url, NOTIFICATIONS) == 1
