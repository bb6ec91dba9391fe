"""What providers post is taken from those who know the secret, and from nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from common.contracts.events import WebhooksReceived
from common.topology.declarations import webhooks_queue
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import Api, assert_error, running_api, until, wait_until
from tests.support.api import ready as is_ready
from tests.support.bus import Received, connected, emptied
from tests.support.servers import new_database

SECRET = "known-to-the-provider"
STATUS = b'{"device": "6281200000901", "id": "170000001", "status": "sent"}'


@pytest.fixture(scope="module")
def api(rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    url = new_database(mongodb)
    log = tmp_path_factory.mktemp("api") / "log"
    with running_api(rabbitmq.url, url, log, KABAR_WEBHOOK_SECRET=SECRET) as started:
        wait_until(lambda: is_ready(started), f"api-gateway is not ready; see {log}")
        yield started


@asynccontextmanager
async def stranger(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with api.client(role=None) as client:
        yield client


@asynccontextmanager
async def listening(url: str, provider: str) -> AsyncIterator[Received]:
    await emptied(url)
    received = Received()
    async with connected(url, (webhooks_queue(provider), WebhooksReceived, received)):
        yield received


async def test_fonnte_is_answered_with_json_and_its_words_are_handed_on_as_they_came(
    api: Api, rabbitmq: PrivateRabbitMQ
) -> None:
    async with listening(rabbitmq.url, "fonnte") as received, stranger(api) as client:
        answer = await client.post(f"/webhooks/fonnte/{SECRET}", content=STATUS, headers={"Content-Type": "text/odd"})
        assert (answer.status_code, answer.json()) == (200, {"status": True})
        event = await received.first()
    [webhook] = event.webhooks
    assert (event.provider, webhook.content_type, webhook.body) == ("fonnte", "text/odd", STATUS.decode())


async def test_wablas_is_answered_with_nothing_as_whatever_stood_there_would_go_to_the_customer(
    api: Api, rabbitmq: PrivateRabbitMQ
) -> None:
    async with listening(rabbitmq.url, "wablas") as received, stranger(api) as client:
        answer = await client.post(f"/webhooks/wablas/{SECRET}", data={"id": "1", "status": "sent"})
        assert (answer.status_code, answer.content) == (200, b"")
        assert [webhook.body for webhook in (await received.first()).webhooks] == ["id=1&status=sent"]
        too_large = await client.post(f"/webhooks/wablas/{SECRET}", content=b"x" * 300_000)
        unknown = await client.post("/webhooks/wablas/wrong", content=STATUS)
        asked = await client.get(f"/webhooks/wablas/{SECRET}")
        assert [(one.status_code, one.content) for one in (too_large, unknown, asked)] == [
            (413, b""), (404, b""), (405, b""),
        ]  # fmt: skip


@pytest.mark.parametrize(
    "path", ["fonnte/wrong", "fonnte/known-to-the-provide", f"nobody/{SECRET}", "fonnte/%E2%82%AC"]
)
async def test_who_does_not_know_the_address_finds_nothing(api: Api, path: str) -> None:
    async with stranger(api) as client:
        assert_error(await client.post(f"/webhooks/{path}", content=STATUS), 404, "NOT_FOUND")


async def test_a_body_beyond_256_kb_is_refused(api: Api) -> None:
    async with stranger(api) as client:
        answer = await client.post(f"/webhooks/fonnte/{SECRET}", content=b"x" * (256 * 1024 + 1))
    assert_error(answer, 413, "PAYLOAD_TOO_LARGE")


async def test_neither_the_secret_nor_what_was_posted_is_logged(
    rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path: Path
) -> None:
    url = new_database(mongodb)
    log = tmp_path / "log"
    with running_api(rabbitmq.url, url, log, KABAR_LOG_LEVEL="DEBUG") as api:
        wait_until(lambda: is_ready(api), "not ready")
        wait_until(lambda: api.rows["secrets"].find_one({"_id": "webhook"}) is not None, "no secret was made")
        made = api.rows["secrets"].find_one({"_id": "webhook"})
        assert made is not None
        async with stranger(api) as client:

            async def taken() -> bool:
                return (await client.post(f"/webhooks/fonnte/{made['value']}", content=STATUS)).status_code == 200

            await until(taken, "the secret that was made is not taken")
            metrics = (await client.get("/metrics")).text
    assert len(made["value"]) >= 32
    assert made["value"] not in log.read_text()
    assert "170000001" not in log.read_text()
    assert made["value"] not in metrics


async def test_replicas_share_the_secret_that_was_made(
    rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path: Path
) -> None:
    url = new_database(mongodb)
    with running_api(rabbitmq.url, url, tmp_path / "1") as one, running_api(rabbitmq.url, url, tmp_path / "2") as two:
        wait_until(lambda: one.rows["secrets"].count_documents({}) == 1, "no secret was made")
        made = one.rows["secrets"].find_one({"_id": "webhook"})
        assert made is not None
        for api in (one, two):
            async with stranger(api) as client:

                async def taken(client: httpx.AsyncClient = client) -> bool:
                    return (await client.post(f"/webhooks/wablas/{made['value']}", content=b"{}")).status_code == 200

                await until(taken, "a replica does not know the secret")


async def test_while_rabbitmq_is_away_webhooks_are_kept_and_handed_on_when_it_is_back(
    private_rabbitmq: Callable[[], PrivateRabbitMQ], mongodb: PrivateMongo, tmp_path: Path
) -> None:
    own_rabbitmq = private_rabbitmq()
    url = new_database(mongodb)
    with running_api(own_rabbitmq.url, url, tmp_path / "log", KABAR_WEBHOOK_SECRET=SECRET) as api:
        wait_until(lambda: is_ready(api), "not ready")
        await asyncio.to_thread(own_rabbitmq.stop)
        async with stranger(api) as client:
            answers = [
                await client.post(f"/webhooks/fonnte/{SECRET}", content=f'{{"id": {number}}}') for number in range(5)
            ]
        assert [answer.status_code for answer in answers] == [200] * 5
        assert api.rows["webhook_inbox"].count_documents({}) == 5
        await asyncio.to_thread(own_rabbitmq.start)
        wait_until(lambda: not api.rows["webhook_inbox"].count_documents({}), "they are still kept", seconds=60)
        received = Received()
        async with connected(own_rabbitmq.url, (webhooks_queue("fonnte"), WebhooksReceived, received)):
            await until(lambda: _all(received, 5), "not all were handed on")
        assert set(_bodies(received)) == {f'{{"id": {number}}}' for number in range(5)}


async def test_while_both_are_away_the_provider_is_asked_to_come_again(
    private_rabbitmq: Callable[[], PrivateRabbitMQ], private_mongodb: Callable[[], PrivateMongo], tmp_path: Path
) -> None:
    own_rabbitmq, own_mongodb = private_rabbitmq(), private_mongodb()
    with running_api(own_rabbitmq.url, own_mongodb.url, tmp_path / "log", KABAR_WEBHOOK_SECRET=SECRET) as api:
        wait_until(lambda: is_ready(api), "not ready")
        await asyncio.gather(asyncio.to_thread(own_rabbitmq.stop), asyncio.to_thread(own_mongodb.stop))
        async with stranger(api) as client:
            assert_error(await client.post(f"/webhooks/fonnte/{SECRET}", content=STATUS), 503, "UNAVAILABLE")
            silent = await client.post(f"/webhooks/wablas/{SECRET}", content=STATUS)
        assert (silent.status_code, silent.content) == (503, b"")
        await asyncio.gather(asyncio.to_thread(own_rabbitmq.start), asyncio.to_thread(own_mongodb.start))


def _bodies(received: Received) -> list[str]:
    return [webhook.body for event in received.events for webhook in event.webhooks]


async def _all(received: Received, count: int) -> bool:
    return len(_bodies(received)) >= count
