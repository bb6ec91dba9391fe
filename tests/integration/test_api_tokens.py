"""Which tokens are none."""

import base64
import json
import time

import httpx
import jwt
import pytest

from tests.support.api import Api, assert_error, token


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
