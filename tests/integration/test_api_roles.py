"""Who may do what, for every route and role; and which tokens are none."""

import base64
import json
import time

import httpx
import jwt
import pytest

from tests.support.api import Api, assert_error, token

ROLES = ("admin", "manager", "supervisor", "noc", "cs", "technician")
EVERYONE = frozenset(ROLES)
DISPATCHERS = frozenset({"admin", "supervisor", "noc"})
OPERATORS = frozenset({"admin", "noc"})
CUSTOM = {"type": "custom", "to": "6281200000001", "message": "hai"}
OTP = {"type": "otp", "to": "6281200000001", "data": {"code": "123456"}}
IDS = {"ids": ["dlv_x"]}
MATRIX: list[tuple[str, str, object, frozenset[str]]] = [
    ("POST", "/api/notifications", CUSTOM, frozenset({"admin", "manager"})),
    ("POST", "/api/notifications", OTP, frozenset({"admin", "manager", "supervisor", "noc", "cs"})),
    ("POST", "/api/notifications", {**CUSTOM, "direct": True, "to": "x"}, frozenset({"admin"})),
    ("GET", "/api/notifications/ntf_x", None, EVERYONE),
    ("POST", "/api/notifications/{custom}/cancel", None, frozenset({"admin", "manager"})),
    ("POST", "/api/notifications/{otp}/cancel", None, EVERYONE - {"technician"}),
    ("GET", "/api/deliveries", None, EVERYONE),
    ("GET", "/api/deliveries/dlv_x", None, EVERYONE),
    ("POST", "/api/deliveries/dlv_x/cancel", None, DISPATCHERS),
    ("POST", "/api/deliveries/dlv_x/retry", None, DISPATCHERS),
    ("GET", "/api/dead-deliveries", None, DISPATCHERS),
    ("POST", "/api/dead-deliveries/retry", IDS, DISPATCHERS),
    ("POST", "/api/dead-deliveries/discard", IDS, DISPATCHERS),
    ("GET", "/api/senders", None, OPERATORS),
    ("GET", "/api/senders/x", None, OPERATORS),
    ("POST", "/api/senders/x/pause", None, OPERATORS),
    ("POST", "/api/senders/x/resume", None, OPERATORS),
    ("POST", "/api/senders/x/reset-limits", None, OPERATORS),
    ("GET", "/admin/whatsapp-queue/status", None, OPERATORS),
    ("POST", "/admin/whatsapp-queue/clear", None, OPERATORS),
    ("POST", "/admin/whatsapp-queue/force-process", None, OPERATORS),
    ("POST", "/admin/whatsapp-queue/send-test", None, OPERATORS),
    ("GET", "/admin/conservation", None, OPERATORS),
    ("GET", "/api/directory/customers", None, frozenset({"admin"})),
    ("GET", "/api/directory/customers/x", None, frozenset({"admin"})),
    ("PUT", "/api/directory/customers/x", {"name": "Sari"}, frozenset({"admin"})),
    ("POST", "/api/directory/customers", {"items": [{"id": "x"}]}, frozenset({"admin"})),
]


async def targets(api: Api) -> dict[str, str]:
    """A notification of each type, to be cancelled."""
    async with api.client() as client:
        bodies = {"custom": CUSTOM, "otp": OTP}
        return {
            name: (await client.post("/api/notifications", json=body)).json()["notification_id"]
            for name, body in bodies.items()
        }


@pytest.mark.parametrize(("method", "path", "body", "allowed"), MATRIX)
async def test_a_route_is_open_to_its_roles_and_to_no_other(
    api: Api, method: str, path: str, body: object, allowed: frozenset[str]
) -> None:
    path = path.format(**await targets(api)) if "{" in path else path
    for role in (*ROLES, "root", ""):
        async with api.client(role) as client:
            response = await client.request(method, path, json=body)
        if role in allowed:
            assert response.status_code not in {401, 403}, (role, response.text)
        else:
            error = assert_error(response, 403, "FORBIDDEN")["error"]
            assert all(one in error for one in allowed), error


@pytest.mark.parametrize(("method", "path", "body", "allowed"), MATRIX)
async def test_nobody_gets_in_without_a_token(
    api: Api, method: str, path: str, body: object, allowed: frozenset[str]
) -> None:
    assert allowed
    async with api.client(None) as client:
        response = await client.request(method, path, json=body)
        assert_error(response, 401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"
        unread = await client.request(method, path, content=b"{" if method == "POST" else None)
        assert_error(unread, 401, "UNAUTHENTICATED")


def unsigned(header: dict[str, str]) -> str:
    claims = {"sub": "x", "role": "admin", "exp": int(time.time()) + 60}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, ""])


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer x",
        "Bearer x.y.z",
        f"Basic {token()}",
        f"Bearer {token(secret='another secret that is long enough')}",
        f"Bearer {token(exp=int(time.time()) - 31)}",
        f"Bearer {token(exp=None)}",
        f"Bearer {token(sub=None)}",
        f"Bearer {token(exp='tomorrow')}",
        f"Bearer {token(nbf=int(time.time()) + 600)}",
        f"Bearer {token(algorithm='HS512', secret='a secret made up for the tests of this run' * 2)}",
        f"Bearer {unsigned({'alg': 'none', 'typ': 'JWT'})}",
        f"Bearer {unsigned({'alg': 'None'})}",
        f"Bearer {unsigned({'alg': 'HS256'})}",
        f"Bearer {token()}x",
        f"Bearer {token()} {token()}",
        "Bearer " + "x" * 20_000,
    ],
)
async def test_what_is_no_valid_token_is_refused(api: Api, authorization: str) -> None:
    async with httpx.AsyncClient(base_url=api.url, headers={"Authorization": authorization}) as client:
        response = await client.get("/api/deliveries")
    assert_error(response, 401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("claims", [{"role": None}, {"sub": 5}, {"role": 5}, {"role": ["admin"]}])
async def test_a_token_with_claims_of_another_kind_is_refused(api: Api, claims: dict[str, object]) -> None:
    content = {"sub": "x", "role": "admin", "exp": int(time.time()) + 60, **claims}
    signed = jwt.encode(
        {name: value for name, value in content.items() if value is not None},
        "a secret made up for the tests of this run",
    )
    async with httpx.AsyncClient(base_url=api.url, headers={"Authorization": f"Bearer {signed}"}) as client:
        assert_error(await client.get("/api/deliveries"), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/openapi.json"])
async def test_operations_need_no_token(api: Api, path: str) -> None:
    async with api.client(None) as client:
        assert (await client.get(path)).status_code == 200
