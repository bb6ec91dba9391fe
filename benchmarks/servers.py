"""Servers of a benchmark's own, and copies of collections for the peer to fill."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo.collection import Collection

from local_stack.servers import PrivateMongo, PrivateRabbitMQ

Document = dict[str, Any]


@dataclass(frozen=True)
class Servers:
    rabbitmq_url: str
    mongodb_url: str
    directory: Path
    """For logs; it is gone afterwards."""


@contextmanager
def servers() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="kabar-bench-") as name:
        directory = Path(name)
        for part in ("rabbitmq", "mongodb"):
            (directory / part).mkdir()
        with PrivateRabbitMQ(directory / "rabbitmq") as rabbitmq, PrivateMongo(directory / "mongodb") as mongodb:
            yield Servers(rabbitmq.url, mongodb.url, directory)


def emptied_copy(collection: Collection[Document]) -> Collection[Document]:
    """Nothing but the same indexes; written as Kabar writes, acknowledged by the majority where the URL says so."""
    copy = collection.database[f"{collection.name}_of_the_peer"]
    copy.drop()
    for name, index in collection.index_information().items():
        options = {option: value for option, value in index.items() if option not in {"key", "v", "ns"}}
        if name != "_id_":
            copy.create_index(index["key"], name=name, **options)
    return copy
