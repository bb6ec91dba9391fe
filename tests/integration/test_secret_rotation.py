"""Secrets of a running API are replaced: nobody who still uses the old one is refused before its time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import SECRET, Api, assert_error, ready, running_api, token, until, wait_until
from tests.support.servers import new_database

NEW = "another secret, made up while the tests run"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("secrets")
    (directory / "KABAR_JWT_SECRET").write_text(f"{SECRET}\n")
    return directory


@pytest.fixture(scope="module")
def api(
    files: Path, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    log = tmp_path_factory.mktemp("api") / "log"
    environment = {"KABAR_SECRETS_DIRECTORY": str(files), "KABAR_JWT_SECRET": "what the file wins over"}
    with running_api(rabbitmq.url, new_database(mongodb), log, **environment) as started:
        wait_until(lambda: ready(started), "api-gateway is not ready")
        yield started


def status(api: Api, secret: str) -> int:
    headers = {"Authorization": f"Bearer {token(secret=secret)}"}
    return httpx.get(f"{api.url}/api/deliveries", headers=headers).status_code


def metrics(api: Api) -> str:
    return httpx.get(f"{api.url}/metrics").text


async def test_the_signing_secret_is_replaced_while_the_api_runs(api: Api, files: Path) -> None:
    file = files / "KABAR_JWT_SECRET"
    assert (status(api, SECRET), status(api, NEW)) == (200, 401)
    file.write_text(f"{NEW}\n{SECRET}\n")
    wait_until(lambda: status(api, NEW) == 200, "the new secret is not taken")
    assert status(api, SECRET) == 200
    file.write_text("too short")
    wait_until(lambda: 'secret_refused{setting="KABAR_JWT_SECRET"} 1.0' in metrics(api), "nothing is said of it")
    assert (status(api, SECRET), status(api, NEW)) == (200, 200)
    file.write_text(NEW)
    wait_until(lambda: status(api, SECRET) == 401, "the old secret is still taken")
    assert status(api, NEW) == 200
    assert 'secret_refused{setting="KABAR_JWT_SECRET"} 0.0' in metrics(api)
    log = api.log.read_text()
    assert "secret.refused" in log
    assert not any(secret in log for secret in (SECRET, NEW, "too short"))
    file.write_text(f"{SECRET}\n")
    wait_until(lambda: status(api, SECRET) == 200, "it is not taken back")


async def posted(client: httpx.AsyncClient, path: str) -> int:
    return (await client.post(path, content=b"{}")).status_code


async def test_the_webhooks_get_new_addresses_and_the_old_ones_are_taken_for_a_day(api: Api) -> None:
    wait_until(lambda: api.rows["secrets"].find_one({"_id": "webhook"}) is not None, "no secret was made")
    made = api.rows["secrets"].find_one({"_id": "webhook"})
    assert made is not None
    old = f"/webhooks/fonnte/{made['value']}"
    async with api.client() as client, api.client(role=None) as provider:

        async def is_taken() -> bool:
            return await posted(provider, old) == 200

        await until(is_taken, "the secret that was made is not taken")
        key = {"Idempotency-Key": "rotation-1"}
        answer = await client.post("/api/provider-webhooks/rotate-secret", headers=key)
        assert answer.status_code == 200, answer.text
        new = answer.json()["paths"]["fonnte"]
        assert new != old
        assert answer.json()["paths"].keys() == {"fonnte", "wablas"}
        assert [await posted(provider, path) for path in (new, old, "/webhooks/fonnte/other-one")] == [200, 200, 404]
        again = (await client.post("/api/provider-webhooks/rotate-secret", headers=key)).json()
        assert (again["paths"], again["former_until"]) == (None, answer.json()["former_until"])
        [entry] = (await client.get("/api/audit-log", params={"action": "provider-webhooks.rotate"})).json()["items"]
        assert entry["outcome"] == "done"
        secrets = [made["value"], new.rpartition("/")[2]]
        assert not any(secret in text for secret in secrets for text in (str(entry), api.log.read_text()))
        # The day is over.
        stored = api.rows["secrets"].find_one({"_id": "webhook"})
        assert stored is not None
        [former] = stored["former"]
        assert former["value"] == made["value"]
        former["until"] = former["until"].replace(year=2020)
        api.rows["secrets"].update_one({"_id": "webhook"}, {"$set": {"former": [former]}})

        async def is_over() -> bool:
            return await posted(provider, old) == 404

        await until(is_over, "the old address is taken for ever")
        assert await posted(provider, new) == 200


async def test_every_replica_takes_an_address_that_another_one_made(
    api: Api, rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    with running_api(rabbitmq.url, api.mongodb_url, tmp_path / "log") as other:
        async with other.client() as client, api.client(role=None) as provider:
            await asyncio.to_thread(wait_until, lambda: ready(other), "the other one is not ready")
            path = (await client.post("/api/provider-webhooks/rotate-secret")).json()["paths"]["wablas"]

            async def is_taken() -> bool:
                return await posted(provider, path) == 200

            await until(is_taken, "a replica does not know the new secret")


async def test_a_secret_that_is_a_setting_is_replaced_in_its_file(
    rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path: Path
) -> None:
    file = tmp_path / "KABAR_WEBHOOK_SECRET"
    file.write_text("known-to-fonnte")
    environment = {"KABAR_SECRETS_DIRECTORY": str(tmp_path)}
    with running_api(rabbitmq.url, new_database(mongodb), tmp_path / "log", **environment) as api:
        async with api.client() as client, api.client(role=None) as provider:
            await asyncio.to_thread(wait_until, lambda: ready(api), "not ready")
            assert_error(await client.post("/api/provider-webhooks/rotate-secret"), 409, "CONFLICT")
            file.write_text("known-to-both-of-them\nknown-to-fonnte\n")

            async def is_taken() -> bool:
                return await posted(provider, "/webhooks/wablas/known-to-both-of-them") == 200

            await until(is_taken, "the new one is not taken")
            assert await posted(provider, "/webhooks/fonnte/known-to-fonnte") == 200
