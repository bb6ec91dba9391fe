"""Every route of the application against every role, every kind of key, and everything that is no credential."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api_gateway.domain.access import Scope
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.access_table import ALL, PROMISED, ROLES, SENDING, TABLE, Row, application_routes
from tests.support.api import Api, assert_error, ready, running_api, token, wait_until
from tests.support.issuer import forged
from tests.support.servers import new_database
from tests.support.stored_deliveries import stored_notification

ISSUER = "https://login.example.com"
ROUTES = application_routes()
GUARDED = [row for row in (*TABLE, *PROMISED) if not row.open and row.key in ROUTES]
Headers = dict[str, str]


def bearer(role: str, **claims: Any) -> Headers:
    return {"Authorization": f"Bearer {token(role, **{'iss': ISSUER, **claims})}"}


@pytest.fixture(scope="module")
def guarded(
    rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A process that trusts one issuer."""
    url = new_database(mongodb)
    log = tmp_path_factory.mktemp("api") / "log"
    with running_api(rabbitmq.url, url, log, KABAR_JWT_ISSUER=ISSUER) as started:
        wait_until(lambda: ready(started), "api-gateway is not ready")
        yield started


@pytest.fixture(scope="module")
def client(guarded: Api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def keys(client: httpx.Client) -> dict[str, str]:
    """A key of each scope, one of every scope but it, and one that was revoked."""

    def made(*scopes: Scope) -> dict[str, str]:
        body = {"name": "a test's", "scopes": [str(scope) for scope in scopes]}
        answer = client.post("/api/api-keys", json=body, headers=bearer("admin"))
        assert answer.status_code == 201, answer.text
        found: dict[str, str] = answer.json()
        return found

    found = {f"only {scope}": made(scope)["key"] for scope in Scope}
    found |= {f"all but {scope}": made(*(other for other in Scope if other is not scope))["key"] for scope in Scope}
    found["all"] = made(*Scope)["key"]
    revoked = made(*Scope)
    client.delete(f"/api/api-keys/{revoked['id']}", headers=bearer("admin")).raise_for_status()
    found["revoked"] = revoked["key"]
    return found


@pytest.fixture(scope="module")
def stored(guarded: Api) -> dict[str, str]:
    """A notification of each type."""
    notifications = {kind: stored_notification(type=kind) for kind in SENDING}
    guarded.rows["notifications"].insert_many(notifications.values())
    return {kind: notification["_id"] for kind, notification in notifications.items()}


def ask(client: httpx.Client, row: Row, stored: dict[str, str], headers: Headers) -> httpx.Response:
    body = None if row.method == "GET" else {"not a field": 1} if row.body is None else row.body
    return client.request(row.method, row.address.format(**stored), json=body, headers=headers)


def assert_let_in(response: httpx.Response, what: object) -> None:
    assert response.status_code not in {401, 403, 405}, (what, response.text)
    assert response.status_code < 500, (what, response.text)
    assert "there is nothing at" not in response.text, (what, response.text)


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    rows = [row.key for row in (*TABLE, *PROMISED)]
    assert len(set(rows)) == len(rows)
    assert not ROUTES - set(rows)
    assert not {row.key for row in TABLE} - ROUTES


@pytest.mark.parametrize("row", GUARDED, ids=lambda row: row.key)
def test_a_route_is_open_to_its_roles_and_to_no_other(row: Row, client: httpx.Client, stored: dict[str, str]) -> None:
    assert row.roles
    assert row.roles <= ALL
    assert_error(ask(client, row, stored, bearer("service")), 403, "FORBIDDEN")
    for role in (*ROLES, "root", "Admin", ""):
        response = ask(client, row, stored, bearer(role))
        if role in row.roles:
            assert_let_in(response, role)
        else:
            said = assert_error(response, 403, "FORBIDDEN")["error"]
            assert all(one in said for one in row.roles), said


@pytest.mark.parametrize("row", GUARDED, ids=lambda row: row.key)
def test_a_route_is_open_to_keys_of_its_scope_and_to_no_other(
    row: Row, client: httpx.Client, stored: dict[str, str], keys: dict[str, str]
) -> None:
    def asked(name: str) -> httpx.Response:
        return ask(client, row, stored, {"X-API-Key": keys[name]})

    if row.scope is None:
        assert_error(asked("all"), 403, "FORBIDDEN")
    else:
        assert_let_in(asked(f"only {row.scope}"), row.scope)
        assert_error(asked(f"all but {row.scope}"), 403, "FORBIDDEN")


@pytest.mark.parametrize("row", GUARDED, ids=lambda row: row.key)
def test_nobody_gets_in_without_a_credential_that_holds(
    row: Row, client: httpx.Client, stored: dict[str, str], keys: dict[str, str]
) -> None:
    now = int(time.time())
    credentials: dict[str, Headers] = {
        "none": {},
        "expired": bearer("admin", exp=now - 60),
        "not yet valid": bearer("admin", nbf=now + 600),
        "wrong signature": bearer("admin", secret="another secret that is long enough"),
        "another algorithm": bearer("admin", algorithm="HS384", secret="x" * 64),
        "no signature": {"Authorization": f"Bearer {forged({'alg': 'none'}, b'', iss=ISSUER)}"},
        "foreign issuer": bearer("admin", iss="https://elsewhere.example.com"),
        "no issuer": bearer("admin", iss=None),
        "revoked key": {"X-API-Key": keys["revoked"]},
        "no key": {"X-API-Key": "kbr_x_y"},
        "key with another's secret": {"X-API-Key": keys["all"][:-1] + ("A" if keys["all"][-1] != "A" else "B")},
        "token and key": {**bearer("admin"), "X-API-Key": keys["all"]},
    }
    for name, headers in credentials.items():
        response = ask(client, row, stored, headers)
        assert response.status_code == 401, (name, response.text)
        assert_error(response, 401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("kind", SENDING)
@pytest.mark.parametrize("what", ["send", "cancel"])
def test_a_type_is_sent_and_taken_back_by_its_senders_alone(
    client: httpx.Client, stored: dict[str, str], kind: str, what: str
) -> None:
    row = (
        Row("POST", "/api/notifications", body={"type": kind, "to": 5})
        if what == "send"
        else Row("POST", f"/api/notifications/{stored[kind]}/cancel")
    )
    for role in ROLES:
        body = row.body or {}
        response = client.post(row.path, json=body, headers=bearer(role))
        if role in SENDING[kind]:
            assert_let_in(response, role)
        else:
            assert_error(response, 403, "FORBIDDEN")


def test_only_an_admin_sends_directly(client: httpx.Client, keys: dict[str, str]) -> None:
    body = {"type": "custom", "to": 5, "direct": True}
    for role in ROLES:
        response = client.post("/api/notifications", json=body, headers=bearer(role))
        assert (response.status_code == 403) == (role != "admin"), response.text
    assert_error(client.post("/api/notifications", json=body, headers={"X-API-Key": keys["all"]}), 403, "FORBIDDEN")


@pytest.mark.parametrize("row", [row for row in TABLE if row.open], ids=lambda row: row.key)
def test_what_is_open_asks_for_no_token(row: Row, client: httpx.Client) -> None:
    assert client.request(row.method, row.address).status_code not in {401, 403, 405}
