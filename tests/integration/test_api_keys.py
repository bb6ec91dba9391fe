"""API keys over HTTP: made once, used, revoked on every replica."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local_stack.servers import PrivateRabbitMQ
from tests.support.api import Api, assert_error, ready, running_api, until, wait_until

Document = dict[str, Any]
READS = {"name": "portal", "scopes": ["deliveries:read"]}


@pytest.fixture(scope="module")
def replica(api: Api, rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A second process on the same database."""
    url = api.mongodb_url
    with running_api(rabbitmq.url, url, tmp_path_factory.mktemp("replica") / "log") as started:
        wait_until(lambda: ready(started), "the replica is not ready")
        yield started


@pytest.fixture(autouse=True)
def nothing_stored(api: Api) -> None:
    for collection in ("api_keys", "audit_log"):
        api.rows[collection].delete_many({})


async def make(api: Api, body: Document = READS, *, idempotency_key: str | None = None) -> httpx.Response:
    headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    async with api.client() as client:
        return await client.post("/api/api-keys", json=body, headers=headers)


async def made(api: Api, body: Document = READS) -> Document:
    response = await make(api, body)
    assert response.status_code == 201, response.text
    document: Document = response.json()
    return document


async def asked(api: Api, key: str, path: str = "/api/deliveries", **headers: str) -> httpx.Response:
    async with api.client(None) as client:
        return await client.get(path, headers={"X-API-Key": key, **headers})


async def listed(api: Api) -> list[Document]:
    async with api.client() as client:
        items: list[Document] = (await client.get("/api/api-keys")).json()["items"]
    return items


async def test_a_key_is_shown_once_and_kept_as_a_hash(api: Api) -> None:
    key = await made(api)
    secret = key["key"].rpartition("_")[2]
    assert len(key["key"]) > 70
    (seen,) = await listed(api)
    assert seen["key"] == f"kbr_{key['id']}_…"
    assert (seen["name"], seen["scopes"], seen["created_by"]) == ("portal", ["deliveries:read"], "tester")
    for collection in api.rows.list_collection_names():
        for document in api.rows[collection].find():
            assert secret not in str(document), collection


async def test_a_key_opens_what_its_scopes_name_on_every_replica_at_once(api: Api, replica: Api) -> None:
    await asked(replica, "kbr_" + "0" * 28 + "_" + "x" * 43)  # it has looked just now
    key = (await made(api))["key"]
    assert (await asked(replica, key)).status_code == 200
    assert (await asked(api, key)).status_code == 200
    assert_error(await asked(api, key, "/api/notifications/ntf_x"), 403, "FORBIDDEN")
    assert_error(await asked(api, key, "/api/audit-log"), 403, "FORBIDDEN")


async def test_a_revoked_key_is_refused_on_every_replica_within_a_second(api: Api, replica: Api) -> None:
    key = await made(api)
    for _ in range(3):
        assert (await asked(replica, key["key"])).status_code == 200
    async with api.client() as client:
        revoked = await client.delete(f"/api/api-keys/{key['id']}")
        ended = time.monotonic()
        assert revoked.json()["status"] == "revoked"
        assert_error(await asked(api, key["key"]), 401, "UNAUTHENTICATED")

        async def refused() -> bool:
            return (await asked(replica, key["key"])).status_code == 401

        await until(refused, "the replica still takes it", seconds=5)
        assert time.monotonic() - ended < 1.3
        again = await client.delete(f"/api/api-keys/{key['id']}")
        assert again.json()["revoked_at"] == revoked.json()["revoked_at"]


async def test_a_key_that_was_never_made_cannot_be_revoked(api: Api) -> None:
    async with api.client() as client:
        assert_error(await client.delete("/api/api-keys/0123"), 404, "NOT_FOUND")


async def test_a_key_and_a_token_together_are_refused(api: Api) -> None:
    key = (await made(api))["key"]
    assert_error(await asked(api, key, Authorization="Bearer x"), 401, "UNAUTHENTICATED")


async def test_an_expired_key_is_refused(api: Api) -> None:
    key = await made(api, {**READS, "expires_at": (datetime.now(UTC) + timedelta(seconds=1)).isoformat()})

    async def refused() -> bool:
        return (await asked(api, key["key"])).status_code == 401

    assert not await refused()
    await until(refused, "it does not expire")
    assert (await listed(api))[0]["status"] == "expired"


async def test_a_repeated_request_makes_no_second_key_and_shows_no_secret(api: Api) -> None:
    first = await make(api, idempotency_key="one key please")
    second = await make(api, idempotency_key="one key please")
    assert second.status_code == 201
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["key"] is None
    assert len(await listed(api)) == 1


async def test_its_last_use_is_told(api: Api) -> None:
    await asked(api, (await made(api))["key"])

    async def told() -> bool:
        return (await listed(api))[0]["last_used_at"] is not None

    await until(told, "the use is not told")


async def test_making_and_revoking_keys_is_noted_without_the_secret(api: Api) -> None:
    key = await made(api)
    async with api.client() as client:
        await client.delete(f"/api/api-keys/{key['id']}")
        entries = (await client.get("/api/audit-log", params={"target": key["id"]})).json()["items"]
    assert [entry["action"] for entry in entries] == ["api-key.revoke", "api-key.create"]
    assert key["key"].rpartition("_")[2] not in str(entries)


async def test_keys_are_listed_page_by_page_newest_first(api: Api) -> None:
    ids = [(await made(api))["id"] for _ in range(3)]
    async with api.client() as client:
        first = (await client.get("/api/api-keys", params={"limit": 2})).json()
        rest = (await client.get("/api/api-keys", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ids[::-1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes.0"),
        ({"scopes": "deliveries:read"}, "scopes"),
        ({"expires_at": "2020-01-01"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"admin": True}, "admin"),
    ],
)
async def test_what_is_wrong_with_a_key_is_named(api: Api, changes: Document, field: str) -> None:
    assert_error(await make(api, {**READS, **changes}), 422, "VALIDATION_ERROR", field=field)


async def test_a_key_sends_and_follows_what_it_sent(api: Api) -> None:
    key = (await made(api, {"name": "x", "scopes": ["notifications:write", "notifications:read"]}))["key"]
    async with api.client(None) as client:
        client.headers["X-API-Key"] = key
        body = {"type": "custom", "to": "6281200000001", "message": "hai"}
        accepted = await client.post("/api/notifications", json=body)
        assert accepted.status_code == 202
        assert (await client.get(accepted.headers["Location"])).json()["created_by"].startswith("key:")
        assert (await client.post(f"{accepted.headers['Location']}/cancel")).status_code == 200
        assert_error(await client.post("/api/notifications", json={**body, "direct": True}), 403, "FORBIDDEN")


def test_the_log_tells_no_key(api: Api) -> None:
    assert b"kbr_" not in api.log.read_bytes()
