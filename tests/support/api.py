"""A real api-gateway process, a client of it, and the database behind it."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from local_stack.ports import free_port
from local_stack.readiness import PLAIN_HTTP
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support import documented
from tests.support.forked import Forked
from tests.support.servers import new_database

SECRET = "a secret made up for the tests of this run"
Document = dict[str, Any]


def token(role: str = "admin", *, secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A signed token; a claim given as `None` is left out."""
    content = {"sub": "tester", "role": role, "exp": int(time.time()) + 600, **claims}
    return jwt.encode(
        {name: value for name, value in content.items() if value is not None}, secret, algorithm=algorithm
    )


@dataclass
class Api:
    """One running process. `rows` is its database, to look at and to put things in."""

    url: str
    process: Forked
    rows: Database[Document]
    mongodb_url: str
    log: Path

    @asynccontextmanager
    async def client(self, role: str | None = "admin", **claims: Any) -> AsyncIterator[httpx.AsyncClient]:
        """Every answer it is given has to be the documented one."""
        headers = {} if role is None else {"Authorization": f"Bearer {token(role, **claims)}"}
        hooks: dict[str, list[Any]] = {"response": [documented.check]}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=60, event_hooks=hooks, verify=PLAIN_HTTP
        ) as client:
            yield client


@contextmanager
def running_api(rabbitmq_url: str, mongodb_url: str, log: Path, **environment: str) -> Iterator[Api]:
    """Start the process, wait until it listens, and end it in order."""
    port = free_port(frozenset())
    values = {
        **os.environ,
        "RABBITMQ_URL": rabbitmq_url,
        "MONGODB_URL": mongodb_url,
        "KABAR_JWT_SECRET": SECRET,
        "KABAR_HTTP_PORT": str(port),
        "ADMIN_WHATSAPP_NUMBER": "6281200000099",
        **environment,
    }
    url = f"http://127.0.0.1:{port}"
    with MongoClient[Document](mongodb_url, tz_aware=True) as client:
        process = Forked("api_gateway", values, log)
        try:
            wait_until(lambda: _answers(url), f"api-gateway did not start; see {log}")
            yield Api(url, process, client.get_default_database(), mongodb_url, log)
        finally:
            process.terminate()
            assert process.wait(35) == 0


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/livez", verify=PLAIN_HTTP).status_code == 200
    return False


def wait_until(condition: Callable[[], bool], error: str, *, seconds: float = 30) -> None:
    """Poll until it is so; fails after a deadline."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, error
        time.sleep(0.05)


async def until(condition: Callable[[], Awaitable[bool]], error: str, *, seconds: float = 30) -> None:
    """Poll until it is so, letting other tasks run; fails after a deadline."""
    ends = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < ends, error
        await asyncio.sleep(0.02)


def readiness(api: Api) -> httpx.Response:
    return httpx.get(f"{api.url}/readyz", verify=PLAIN_HTTP)


def ready(api: Api) -> bool:
    return readiness(api).status_code == 200


@pytest.fixture(scope="module")
def api(rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A process for the tests of one module, with a database of its own and no pacing."""
    url = new_database(mongodb)
    log = tmp_path_factory.mktemp("api") / "log"
    with running_api(rabbitmq.url, url, log) as started:
        wait_until(lambda: ready(started), f"api-gateway is not ready; see {log}")
        yield started


def assert_error(response: httpx.Response, status: int, code: str, *, field: str | None = None) -> Mapping[str, Any]:
    """It has the error shape, and names the field."""
    assert response.status_code == status, response.text
    body: Document = response.json()
    assert body["success"] is False
    assert body["code"] == code, body
    assert isinstance(body["error"], str)
    assert body["error"]
    if field is not None:
        assert field in [one["field"] for one in body["fields"]], body
    return body
