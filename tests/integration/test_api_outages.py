"""What the API says and keeps while RabbitMQ or MongoDB is away."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import aio_pika
import httpx

from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import Api, assert_error, readiness, ready, running_api, until, wait_until
from tests.support.servers import new_database, written_down

CUSTOM = {"type": "custom", "to": "6281200000001", "message": "hai"}


async def submit(api: Api, key: str | None = None, **body: object) -> httpx.Response:
    async with api.client() as client:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await client.post("/api/notifications", json={**CUSTOM, **body}, headers=headers)


async def until_accepted(api: Api, key: str | None = None, **body: object) -> httpx.Response:
    answers: list[httpx.Response] = []

    async def accepted() -> bool:
        answers.append(await submit(api, key, **body))
        return answers[-1].status_code not in {409, 503}

    await until(accepted, "not accepted again", seconds=40)
    return answers[-1]


async def test_without_rabbitmq_it_accepts_and_announces_later(
    private_rabbitmq: Callable[[], PrivateRabbitMQ], mongodb: PrivateMongo, tmp_path: Path
) -> None:
    broker = private_rabbitmq()
    url = new_database(mongodb)
    with running_api(broker.url, url, tmp_path / "log") as api:
        wait_until(lambda: ready(api), "not ready")
        written_down(broker)
        broker.kill()
        started = time.monotonic()
        response = await submit(api)
        assert response.status_code == 202
        assert time.monotonic() - started < 2
        wait_until(lambda: not ready(api), "still ready without RabbitMQ")
        checks = readiness(api).json()["checks"]
        assert checks == {"rabbitmq": "unavailable", "mongodb": "ok"}
        assert (await submit(api)).status_code == 202
        broker.start()
        wait_until(lambda: ready(api), "not ready again", seconds=60)
        await _announced(broker.url, response.json()["notification_id"])


async def _announced(url: str, identity: str) -> None:
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        queue = await channel.get_queue("dispatcher.notifications", ensure=False)
        async with asyncio.timeout(20), queue.iterator() as messages:
            async for message in messages:
                await message.ack()
                if identity.encode() in message.body:
                    return


async def test_it_starts_without_rabbitmq_and_mongodb_and_says_so(tmp_path: Path) -> None:
    nobody = "mongodb://127.0.0.1:9/kabar?replicaSet=rs0&serverSelectionTimeoutMS=500"
    with running_api("amqp://guest:guest@127.0.0.1:9/", nobody, tmp_path / "log") as api:
        checks = readiness(api)
        assert checks.status_code == 503
        assert checks.json()["checks"] == {"rabbitmq": "unavailable", "mongodb": "unavailable"}
        response = await submit(api, "key")
        assert_error(response, 503, "UNAVAILABLE")
        assert response.headers["retry-after"]
        assert_error(await submit(api, to="x"), 422, "INVALID_PHONE")


async def test_a_frozen_mongodb_is_a_503_and_nothing_is_accepted_twice(
    private_mongodb: Callable[[], PrivateMongo], rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    server = private_mongodb()
    with running_api(rabbitmq.url, server.url, tmp_path / "log") as api:
        wait_until(lambda: ready(api), "not ready")
        async with api.client() as client:
            made = await client.post("/api/api-keys", json={"name": "portal", "scopes": ["deliveries:read"]})
        server.pause()
        started = time.monotonic()
        keys = [uuid4().hex for _ in range(5)]
        answers = await asyncio.gather(*(submit(api, key, message=key) for key in keys), submit(api))
        for answer in answers:
            assert_error(answer, 503, "UNAVAILABLE")
        async with api.client() as client:
            for path in ("/api/deliveries", "/api/deliveries/dlv_1", "/api/senders", "/admin/whatsapp-queue/status"):
                asked = time.monotonic()
                assert_error(await client.get(path), 503, "UNAVAILABLE")
                assert time.monotonic() - asked < 4, path
        async with api.client(None) as client:
            client.headers["X-API-Key"] = made.json()["key"]
            asked = time.monotonic()
            for answer in await asyncio.gather(*(client.get("/api/deliveries") for _ in range(20))):
                assert_error(answer, 503, "UNAVAILABLE")
            assert time.monotonic() - asked < 2.5
        assert time.monotonic() - started < 30
        server.resume()
        for key in keys:
            response = await until_accepted(api, key, message=key)
            assert response.status_code == 202
            assert api.rows["notifications"].count_documents({"message": key}) == 1
        wait_until(lambda: ready(api), "not ready again")


async def test_a_killed_mongodb_is_a_503_until_it_is_back(
    private_mongodb: Callable[[], PrivateMongo], rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    server = private_mongodb()
    with running_api(rabbitmq.url, server.url, tmp_path / "log") as api:
        wait_until(lambda: ready(api), "not ready")
        before = (await submit(api)).json()["notification_id"]
        server.kill()
        assert_error(await submit(api), 503, "UNAVAILABLE")
        server.start()
        assert (await until_accepted(api)).status_code == 202
        async with api.client() as client:
            assert (await client.get(f"/api/notifications/{before}")).status_code == 200


async def test_a_short_pause_of_mongodb_is_not_noticed(
    private_mongodb: Callable[[], PrivateMongo], rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    server = private_mongodb()
    with running_api(rabbitmq.url, server.url, tmp_path / "log") as api:
        wait_until(lambda: ready(api), "not ready")
        server.pause()
        sending = asyncio.ensure_future(submit(api, "key", message="once"))
        asyncio.get_running_loop().call_later(3.5, server.resume)
        response = await sending
        assert response.status_code == 202
        assert api.rows["notifications"].count_documents({"message": "once"}) == 1


async def test_what_was_accepted_before_a_termination_is_answered(
    rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path: Path
) -> None:
    url = new_database(mongodb)
    with running_api(rabbitmq.url, url, tmp_path / "log") as api:
        wait_until(lambda: ready(api), "not ready")
        recipients = [f"6281200{number:06d}" for number in range(50_000)]
        sending = asyncio.ensure_future(submit(api, to=recipients, message="last", force=True))

        async def storing() -> bool:
            return api.rows["audience_pages"].estimated_document_count() > 0

        await until(storing, "nothing is stored")
        os.kill(api.process.pid, signal.SIGTERM)
        assert (await sending).status_code == 202
        assert api.rows["notifications"].count_documents({"message": "last"}) == 1
