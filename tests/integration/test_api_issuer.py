"""Tokens of an issuer, verified by a real process that has no secret of its own."""

from collections.abc import Iterator

import httpx
import pytest

from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import Api, assert_error, ready, running_api, token, wait_until
from tests.support.issuer import Issuer, described, ec_key, rsa_key, running_issuer, signed
from tests.support.servers import new_database

NAME = "https://login.example.com"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running_issuer(described(rsa_key(), "rsa"), described(ec_key(), "ec")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def trusting(
    issuer: Issuer, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    url = new_database(mongodb)
    sign_in = {"KABAR_JWT_SECRET": "", "KABAR_JWKS_URL": issuer.url, "KABAR_JWT_ISSUER": NAME}
    with running_api(rabbitmq.url, url, tmp_path_factory.mktemp("api") / "log", **sign_in) as started:
        wait_until(lambda: ready(started), "api-gateway is not ready")
        yield started


def asked(api: Api, bearer: str) -> httpx.Response:
    return httpx.get(f"{api.url}/api/deliveries", headers={"Authorization": f"Bearer {bearer}"})


async def test_an_issuers_tokens_are_taken_and_no_others(trusting: Api) -> None:
    assert asked(trusting, signed(rsa_key(), "RS256", "rsa", iss=NAME)).status_code == 200
    assert asked(trusting, signed(ec_key(), "ES256", "ec", iss=NAME)).status_code == 200
    for other in (
        token(iss=NAME),
        signed(rsa_key(), "RS256", "rsa"),
        signed(rsa_key(), "RS256", "rsa", iss="https://elsewhere.example.com"),
        signed(rsa_key("another"), "RS256", "rsa", iss=NAME),
    ):
        assert_error(asked(trusting, other), 401, "UNAUTHENTICATED")


async def test_the_keys_outlive_their_server(trusting: Api, issuer: Issuer) -> None:
    issuer.status = 500
    assert asked(trusting, signed(rsa_key(), "RS256", "rsa", iss=NAME, sub="another")).status_code == 200
