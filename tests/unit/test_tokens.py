"""Whose tokens are taken: the algorithm follows the key, and the issuer's keys are fetched no oftener than need be."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from api_gateway.adapters.jwks import MOST_BYTES, UNKNOWN_SECONDS, Jwks, read_keys
from api_gateway.adapters.tokens import LEEWAY_SECONDS, Rules, Tokens
from api_gateway.domain.refusals import Unauthenticated, Unavailable
from common.kernel.failures import Transient
from tests.support.issuer import described, ec_key, forged, public_pem, rsa_key, signed

SECRET = "a secret made up for the tests of this run"
URL = "https://login.example.com/jwks.json"


class Address:
    """What is found at the JWKS address."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.answer: Callable[[], httpx.Response] = lambda: httpx.Response(200, content=orjson.dumps(self.document()))

    def document(self) -> dict[str, Any]:
        return {"keys": self.keys}

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        return self.answer()


class Seconds:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def jwks(address: Address, seconds: Seconds | None = None) -> Jwks:
    return Jwks(URL, transport=httpx.MockTransport(address), monotonic=seconds or Seconds())


def both() -> Address:
    return Address(described(rsa_key(), "rsa"), described(ec_key(), "ec"))


async def role(tokens: Tokens, token: str) -> str:
    return (await tokens.caller(f"Bearer {token}")).role


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(rsa_key(), "RS256", "rsa"), (ec_key(), "ES256", "ec")])
async def test_a_token_signed_with_an_issuers_key_is_taken(key: Any, algorithm: str, kid: str) -> None:
    tokens = Tokens(Rules(keys=jwks(both())))
    assert await role(tokens, signed(key, algorithm, kid, role="noc")) == "noc"


@pytest.mark.parametrize("expires", [10**400, 10**18])
async def test_a_token_that_expires_beyond_all_numbers_is_no_failure_of_ours(expires: int) -> None:
    tokens = Tokens(Rules((SECRET,)))
    assert await role(tokens, signed(SECRET, "HS256", None, exp=expires)) == "admin"


async def test_both_kinds_of_tokens_are_taken_where_both_are_set_up() -> None:
    tokens = Tokens(Rules((SECRET,), jwks(both())))
    assert await role(tokens, signed(SECRET, "HS256", None)) == "admin"
    assert await role(tokens, signed(rsa_key(), "RS256", "rsa")) == "admin"


async def test_what_signed_a_token_is_trusted_as_long_as_its_key_is_published() -> None:
    address = both()
    keys = jwks(address)
    tokens = Tokens(Rules((SECRET,), keys))
    _, _, signed_with = await tokens.timed(f"Bearer {signed(rsa_key(), 'RS256', 'rsa')}")
    assert await tokens.trusts(signed_with)
    address.keys = [described(ec_key(), "ec"), described(rsa_key("another"), "rsa")]
    await keys.refresh()
    assert not await tokens.trusts(signed_with)


async def test_nobody_can_tell_what_is_trusted_before_there_were_any_keys() -> None:
    address = Address()
    address.answer = lambda: httpx.Response(500)
    with pytest.raises(Unavailable):
        await Tokens(Rules(keys=jwks(address))).trusts("0123456789abcdef")


async def test_each_of_several_secrets_is_taken_and_one_that_is_gone_no_more() -> None:
    old, new = "the old secret of this test, long", "the new secret of this test, long"
    tokens = Tokens(Rules((old,)))
    with pytest.raises(Unauthenticated):
        await role(tokens, signed(new, "HS256", None))
    tokens.trust((new, old))
    for secret in (old, new):
        assert await role(tokens, signed(secret, "HS256", None, role="noc")) == "noc"
        with pytest.raises(Unauthenticated, match="expired"):
            await role(tokens, signed(secret, "HS256", None, exp=int(time.time()) - 60))
    remembered = signed(old, "HS256", None)
    assert await role(tokens, remembered) == "admin"
    tokens.trust((new,))
    with pytest.raises(Unauthenticated):
        await role(tokens, remembered)


@pytest.mark.parametrize(
    "token",
    [
        forged({"alg": "HS256", "kid": "rsa"}, public_pem(rsa_key())),
        forged({"alg": "RS256", "kid": "rsa"}, public_pem(rsa_key())),
        forged({"alg": "none", "kid": "rsa"}, b""),
        forged({"alg": "HS256"}, b""),
        forged({"alg": "HS256", "crit": ["b64"]}, SECRET.encode()),
        signed(rsa_key("another"), "RS256", "rsa"),
        signed(rsa_key(), "RS256", None),
        signed(rsa_key(), "RS256", "ec"),
        signed(rsa_key(), "RS256", "unknown"),
        signed(rsa_key(), "RS512", "rsa"),
        signed(rsa_key(), "PS256", "rsa"),
        signed(ec_key(), "ES256", "rsa"),
    ],
    ids=range(12),
)
async def test_no_key_is_taken_for_another_kind_of_key(token: str) -> None:
    with pytest.raises(Unauthenticated):
        await role(Tokens(Rules((SECRET,), jwks(both()))), token)


async def test_the_secret_verifies_nothing_where_only_keys_are_set_up_and_the_other_way_round() -> None:
    with pytest.raises(Unauthenticated):
        await role(Tokens(Rules(keys=jwks(both()))), signed(SECRET, "HS256", None))
    with pytest.raises(Unauthenticated):
        await role(Tokens(Rules((SECRET,))), signed(rsa_key(), "RS256", "rsa"))


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({}, "iss"),
        ({"iss": "https://elsewhere.example.com"}, "another issuer"),
        ({"iss": "https://login.example.com"}, "aud"),
        ({"iss": "https://login.example.com", "aud": "shop"}, "another audience"),
    ],
)
async def test_a_foreign_issuer_or_audience_is_refused(claims: dict[str, Any], said: str) -> None:
    tokens = Tokens(Rules((SECRET,), issuer="https://login.example.com", audience="kabar"))
    with pytest.raises(Unauthenticated, match=said):
        await role(tokens, signed(SECRET, "HS256", None, **claims))
    good = {"iss": "https://login.example.com", "aud": ["shop", "kabar"]}
    assert await role(tokens, signed(SECRET, "HS256", None, **good)) == "admin"


async def test_an_audience_does_not_matter_when_none_is_set() -> None:
    assert await role(Tokens(Rules((SECRET,))), signed(SECRET, "HS256", None, aud="shop", iss="x")) == "admin"


async def test_clocks_may_differ_by_half_a_minute_and_no_more() -> None:
    tokens, now = Tokens(Rules((SECRET,))), int(time.time())
    assert await role(tokens, signed(SECRET, "HS256", None, exp=now - LEEWAY_SECONDS + 5)) == "admin"
    assert await role(tokens, signed(SECRET, "HS256", None, nbf=now + LEEWAY_SECONDS - 5)) == "admin"
    for claims in ({"exp": now - LEEWAY_SECONDS - 5}, {"nbf": now + LEEWAY_SECONDS + 5}):
        with pytest.raises(Unauthenticated):
            await role(tokens, signed(SECRET, "HS256", None, **claims))


@pytest.mark.parametrize("claims", [{"sub": ""}, {"sub": "\ud800"}, {"sub": "a\nb"}, {"role": "\ud800"}, {"role": 5}])
async def test_names_that_could_not_be_stored_are_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await role(Tokens(Rules((SECRET,))), signed(SECRET, "HS256", None, **claims))


async def test_unknown_keys_have_the_keys_fetched_once_in_half_a_minute() -> None:
    address, seconds = both(), Seconds()
    tokens = Tokens(Rules(keys=jwks(address, seconds)))
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await role(tokens, signed(rsa_key(), "RS256", f"unknown-{number}"))
    assert address.asked == 1
    address.keys.append(described(rsa_key("new"), "new"))
    seconds.now += UNKNOWN_SECONDS + 1
    assert await role(tokens, signed(rsa_key("new"), "RS256", "new")) == "admin"
    assert address.asked == 2


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(500),
        lambda: httpx.Response(302, headers={"Location": "https://elsewhere.example.com"}),
        lambda: httpx.Response(200, content=b"<html>"),
        lambda: httpx.Response(200, content=b"[]"),
        lambda: httpx.Response(200, content=b'{"keys": []}'),
        lambda: httpx.Response(200, content=b" " * (MOST_BYTES + 1)),
    ],
)
async def test_the_keys_stay_while_their_address_answers_nonsense(answer: Callable[[], httpx.Response]) -> None:
    address = both()
    keys = jwks(address)
    tokens = Tokens(Rules(keys=keys))
    await keys.refresh()
    address.answer = answer
    with pytest.raises(Transient):
        await keys.refresh()
    assert await role(tokens, signed(rsa_key(), "RS256", "rsa")) == "admin"


async def test_tokens_cannot_be_judged_before_the_keys_were_ever_fetched() -> None:
    address = both()
    address.answer = lambda: httpx.Response(503)
    with pytest.raises(Unavailable):
        await role(Tokens(Rules(keys=jwks(address))), signed(rsa_key(), "RS256", "rsa"))


async def test_a_remembered_token_ends_with_its_key() -> None:
    address = both()
    keys = jwks(address)
    tokens = Tokens(Rules(keys=keys))
    token = signed(rsa_key(), "RS256", "rsa")
    assert await role(tokens, token) == "admin"
    del address.keys[0]
    await keys.refresh()
    with pytest.raises(Unauthenticated):
        await role(tokens, token)


@pytest.mark.parametrize(
    "key",
    [
        described(rsa_key(), "x", use="enc"),
        described(rsa_key(), "x", alg="RS512"),
        {**described(rsa_key(), "x"), "kid": 5},
        described(rsa_key("weak", bits=1024), "x"),
        {"kty": "oct", "kid": "x", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "x"},
        {"kty": "EC", "kid": "x", "crv": "P-384", "x": "AA", "y": "AA"},
        "x",
        None,
    ],
)
def test_a_key_that_cannot_be_used_is_left_out(key: Any) -> None:
    assert list(read_keys(orjson.dumps({"keys": [key, described(ec_key(), "good")]}))) == ["good"]
