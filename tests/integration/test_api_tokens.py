"""Which tokens are none."""

import base64
import json
import time
from collections.abc import Callable

import httpx
import jwt
import pytest

from tests.support.api import SECRET, Api, assert_error, token


def unsigned(header: dict[str, str]) -> str:
    claims = {"sub": "x", "role": "admin", "exp": int(time.time()) + 60}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, ""])


# Made in the test: one from the collection would by then be refused for its age alone.
NOT_VALID: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no credentials": lambda: "Bearer",
    "one part": lambda: "Bearer x",
    "three parts": lambda: "Bearer x.y.z",
    "another scheme": lambda: f"Basic {token()}",
    "another secret": lambda: f"Bearer {token(secret='another secret that is long enough')}",
    "expired": lambda: f"Bearer {token(exp=int(time.time()) - 31)}",
    "no expiry": lambda: f"Bearer {token(exp=None)}",
    "no subject": lambda: f"Bearer {token(sub=None)}",
    "expiry in words": lambda: f"Bearer {token(exp='tomorrow')}",
    "not yet": lambda: f"Bearer {token(nbf=int(time.time()) + 300)}",
    "another algorithm": lambda: f"Bearer {token(algorithm='HS512', secret=SECRET * 2)}",
    "no algorithm": lambda: f"Bearer {unsigned({'alg': 'none', 'typ': 'JWT'})}",
    "no algorithm, in capitals": lambda: f"Bearer {unsigned({'alg': 'None'})}",
    "no signature": lambda: f"Bearer {unsigned({'alg': 'HS256'})}",
    "one letter too many": lambda: f"Bearer {token()}x",
    "two tokens": lambda: f"Bearer {token()} {token()}",
    "far too long": lambda: "Bearer " + "x" * 20_000,
}


@pytest.mark.parametrize("wrong", NOT_VALID)
async def test_what_is_no_valid_token_is_refused(api: Api, wrong: str) -> None:
    async with httpx.AsyncClient(base_url=api.url, headers={"Authorization": NOT_VALID[wrong]()}) as client:
        response = await client.get("/api/deliveries")
    assert_error(response, 401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("claims", [{"role": None}, {"sub": 5}, {"role": 5}, {"role": ["admin"]}])
async def test_a_token_with_claims_of_another_kind_is_refused(api: Api, claims: dict[str, object]) -> None:
    content = {"sub": "x", "role": "admin", "exp": int(time.time()) + 60, **claims}
    signed = jwt.encode(
        {name: value for name, value in content.items() if value is not None},
        SECRET,
    )
    async with httpx.AsyncClient(base_url=api.url, headers={"Authorization": f"Bearer {signed}"}) as client:
        assert_error(await client.get("/api/deliveries"), 401, "UNAUTHENTICATED")
