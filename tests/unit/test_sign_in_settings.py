"""How people sign in is set up, or the start is refused."""

import pytest

from api_gateway.settings import Settings
from common.config.settings import load

NAMES = ("KABAR_JWT_SECRET", "KABAR_JWKS_URL", "KABAR_JWT_ISSUER", "KABAR_JWT_AUDIENCE")
SECRET, KEYS = "a secret made up for the tests of this run", "https://login.example.com/jwks.json"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "values",
    [{"KABAR_JWT_SECRET": SECRET}, {"KABAR_JWKS_URL": KEYS}, {"KABAR_JWT_SECRET": SECRET, "KABAR_JWKS_URL": KEYS}],
)
def test_a_secret_or_an_address_of_keys_is_enough(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    load(Settings)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, ["KABAR_JWT_SECRET", "KABAR_JWKS_URL"]),
        ({"KABAR_JWT_SECRET": "", "KABAR_JWKS_URL": ""}, ["KABAR_JWT_SECRET", "KABAR_JWKS_URL"]),
        ({"KABAR_JWT_SECRET": "short"}, ["KABAR_JWT_SECRET"]),
        ({"KABAR_JWT_SECRET": "short", "KABAR_JWKS_URL": "login"}, ["KABAR_JWT_SECRET", "KABAR_JWKS_URL"]),
        ({"KABAR_JWKS_URL": "file:///etc/keys.json"}, ["KABAR_JWKS_URL"]),
        ({"KABAR_JWKS_URL": "https://user:hunter2@login.example.com/"}, ["KABAR_JWKS_URL"]),
        ({"KABAR_JWKS_URL": "https://[nowhere"}, ["KABAR_JWKS_URL"]),
    ],
)
def test_the_start_is_refused_with_the_names_of_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], values: dict[str, str], named: list[str]
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        load(Settings)
    said = capsys.readouterr().err
    assert all(name in said for name in named)
    assert "hunter2" not in said
