"""Asks servers that are not ours whether they answer, before anything relies on them."""

import socket
from typing import Any
from urllib.parse import urlsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from local_stack.rabbitmq import speaks_amqp

_SECONDS = 5.0


class UnreachableError(RuntimeError):
    """A server named by a setting does not answer; the text names the setting, and no password."""


def check_rabbitmq(url: str) -> None:
    """Raises UnreachableError unless something at this amqp(s) address answers."""
    address = urlsplit(url)
    secure = address.scheme == "amqps"
    host, port = address.hostname or "localhost", address.port or (5671 if secure else 5672)
    if not (_accepts(host, port) if secure else speaks_amqp(host, port, seconds=_SECONDS)):
        raise UnreachableError(f"no RabbitMQ answers at {host}:{port} (RABBITMQ_URL); unset it to get a private one")


def check_mongodb(url: str) -> None:
    """Raises UnreachableError unless a MongoDB answers there and lets us in."""
    try:
        client: MongoClient[dict[str, Any]] = MongoClient(url, serverSelectionTimeoutMS=int(_SECONDS * 1000))
        with client:
            client.admin.command("ping")
    except PyMongoError as error:
        host = urlsplit(url).netloc.rpartition("@")[2]
        reason = type(error).__name__
        raise UnreachableError(
            f"no MongoDB answers at {host} (MONGODB_URL, {reason}); unset it to get a private one"
        ) from error


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except OSError:
        return False
    return True
