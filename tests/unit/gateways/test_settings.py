"""Which variable wins, which address is called, and what is refused."""

import pytest
from pydantic import ValidationError

from common.config.settings import problems
from gateway.settings import GatewaySettings
from gateway_fonnte.settings import FonnteSettings
from gateway_wablas.settings import WablasSettings

SERVER = {"WABLAS_API_URL": "https://server.wablas.com"}


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for settings in (FonnteSettings, WablasSettings):
        for field in settings.model_fields.values():
            monkeypatch.delenv(str(field.validation_alias), raising=False)


def read(settings: type[GatewaySettings], environment: dict[str, str], patch: pytest.MonkeyPatch) -> GatewaySettings:
    for name, value in environment.items():
        patch.setenv(name, value)
    return settings()


FONNTE_TOKENS: list[tuple[dict[str, str], list[str]]] = [
    ({}, []),
    ({"FONNTE_API_TOKEN": ""}, []),
    ({"FONNTE_API_TOKEN": "own"}, ["own"]),
    ({"WHATSAPP_API_TOKEN": "shared"}, ["shared"]),
    ({"WHATSAPP_API_KEY": "older"}, ["older"]),
    ({"WHATSAPP_API_TOKEN": "shared", "WHATSAPP_API_KEY": "older"}, ["shared"]),
    ({"FONNTE_API_TOKEN": "own", "WHATSAPP_API_TOKEN": "shared"}, ["own"]),
    ({"WHATSAPP_PROVIDER": "wablas", "WHATSAPP_API_TOKEN": "shared", **SERVER}, []),
    ({"WHATSAPP_BACKUP_API_TOKEN": "backup"}, []),
    (
        {
            "WHATSAPP_PROVIDER": "wablas",
            "WHATSAPP_BACKUP_PROVIDER": "fonnte",
            "WHATSAPP_API_TOKEN": "shared",
            "WHATSAPP_BACKUP_API_TOKEN": "backup",
        },
        ["backup"],
    ),
    ({"WHATSAPP_BACKUP_PROVIDER": "fonnte", "WHATSAPP_API_TOKEN": "a", "WHATSAPP_BACKUP_API_TOKEN": "b"}, ["a"]),
    ({"FONNTE_API_TOKEN": "one, two,,three "}, ["one", "two", "three"]),
]


@pytest.mark.parametrize(("environment", "tokens"), FONNTE_TOKENS)
def test_the_first_name_that_is_set_holds_the_tokens(
    environment: dict[str, str], tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read(FonnteSettings, environment, monkeypatch)
    assert [account.credential for account in settings.accounts()] == tokens
    assert [account.sender for account in settings.accounts()] == [f"fonnte-{n + 1}" for n in range(len(tokens))]


def test_nothing_is_sent_with_whatsapp_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(FonnteSettings, {"FONNTE_API_TOKEN": "own", "WHATSAPP_ENABLED": "false"}, monkeypatch)
    assert settings.accounts() == ()


WABLAS_CREDENTIALS: list[tuple[dict[str, str], list[str]]] = [
    ({"WABLAS_API_TOKEN": "T"}, ["T"]),
    ({"WABLAS_API_TOKEN": "T", "WABLAS_SECRET_KEY": "S"}, ["T.S"]),
    ({"WABLAS_API_TOKEN": "T,U", "WABLAS_SECRET_KEY": "S,R"}, ["T.S", "U.R"]),
    ({"WABLAS_API_TOKEN": "T,U", "WABLAS_SECRET_KEY": "S"}, ["T.S", "U.S"]),
    ({"WABLAS_API_TOKEN": "T.X", "WABLAS_SECRET_KEY": "S"}, ["T.X"]),
    ({"WHATSAPP_BACKUP_API_TOKEN": "B", "WABLAS_SECRET_KEY": "S"}, ["B.S"]),
]


@pytest.mark.parametrize(("environment", "credentials"), WABLAS_CREDENTIALS)
def test_a_token_of_wablas_goes_with_its_secret(
    environment: dict[str, str], credentials: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read(WablasSettings, {**SERVER, **environment}, monkeypatch)
    assert settings.credentials() == credentials


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "https://api.fonnte.com/send"),
        ({"FONNTE_API_URL": "http://127.0.0.1:8090/fonnte/send"}, "http://127.0.0.1:8090/fonnte/send"),
        ({"FONNTE_API_URL": "https://relay.example.com/out"}, "https://relay.example.com/out"),
        ({"FONNTE_API_URL": "https://api.fonnte.com/"}, "https://api.fonnte.com/send"),
        ({"WHATSAPP_API_URL": "https://api.fonnte.com"}, "https://api.fonnte.com/send"),
        ({"WHATSAPP_API_URL": "https://api.fonnte.com/send"}, "https://api.fonnte.com/send"),
        ({"WHATSAPP_API_URL": "https://relay.example.com/api/send-message"}, "https://relay.example.com/send"),
        ({"WHATSAPP_API_URL": "http://127.0.0.1:8090/fonnte/"}, "http://127.0.0.1:8090/fonnte/send"),
        ({"FONNTE_API_URL": "https://a.example.com/send", "WHATSAPP_API_URL": "https://b.example.com"},
         "https://a.example.com/send"),
        ({"WHATSAPP_PROVIDER": "wablas", "WHATSAPP_API_URL": "https://b.wablas.com"}, "https://api.fonnte.com/send"),
    ],
)  # fmt: skip
def test_fonnte_is_called_at(environment: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(FonnteSettings, environment, monkeypatch)
    assert isinstance(settings, FonnteSettings)
    assert settings.send_address == address


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"WABLAS_API_URL": "https://x.wablas.com"}, "https://x.wablas.com/api/v2/send-message"),
        ({"WABLAS_API_URL": "https://x.wablas.com/"}, "https://x.wablas.com/api/v2/send-message"),
        ({"WHATSAPP_BACKUP_API_URL": "https://x.wablas.com/api/send-message"},
         "https://x.wablas.com/api/v2/send-message"),
        ({"WHATSAPP_BACKUP_API_URL": "https://x.wablas.com/api/v2/send-message"},
         "https://x.wablas.com/api/v2/send-message"),
        ({"WABLAS_API_URL": "http://127.0.0.1:8090/wablas"}, "http://127.0.0.1:8090/wablas/api/v2/send-message"),
        ({"WHATSAPP_PROVIDER": "wablas", "WHATSAPP_API_URL": "https://x.wablas.com"},
         "https://x.wablas.com/api/v2/send-message"),
        ({}, ""),
    ],
)  # fmt: skip
def test_wablas_is_called_at(environment: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(WablasSettings, environment, monkeypatch)
    assert isinstance(settings, WablasSettings)
    assert settings.send_address == address


def test_every_bad_value_is_named_at_once_and_none_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "WHATSAPP_CONNECT_TIMEOUT": "soon",
        "WHATSAPP_PROVIDER": "pigeon",
        "WABLAS_API_TOKEN": "one,two,three",
        "WABLAS_SECRET_KEY": "hidden-one,hidden-two",
        "WHATSAPP_API_URL": "ftp://x",
    }
    with pytest.raises(ValidationError) as refused:
        read(WablasSettings, environment, monkeypatch)
    lines = "\n".join(problems(refused.value))
    for name in (*(name for name in environment if name != "WABLAS_API_TOKEN"), "WABLAS_API_URL"):
        assert name in lines
    assert "hidden" not in lines
    assert "ftp" not in lines


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FONNTE_API_URL", "api.fonnte.com"),
        ("FONNTE_API_URL", "https://user:password@api.fonnte.com"),
        ("FONNTE_API_URL", "https://api.fonnte.com:port/send"),
        ("FONNTE_API_URL", "https://api.fonnte.com/send?token=x"),
        ("FONNTE_API_TOKEN", ","),
        ("FONNTE_API_TOKEN", "to ken"),
        ("FONNTE_API_TOKEN", "token\r\nX: y"),
        ("WHATSAPP_READ_TIMEOUT", "0"),
    ],
)
def test_what_cannot_work_is_refused_at_start(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as refused:
        read(FonnteSettings, {name: value}, monkeypatch)
    assert problems(refused.value)[0].startswith(f"configuration: {name}: ")


def test_each_single_token_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        WablasSettings,
        {**SERVER, "WABLAS_API_TOKEN": "token-a, token-b", "WABLAS_SECRET_KEY": "secret-a,secret-b"},
        monkeypatch,
    )
    assert {"token-a", "token-b", "secret-a", "secret-b", "token-a.secret-a"} <= set(settings.secrets())
    assert "token-a" not in repr(settings)
    assert "token-a" not in repr(settings.accounts())
