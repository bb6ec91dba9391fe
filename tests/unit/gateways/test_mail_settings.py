"""Mail settings are refused at start when they cannot work, each named."""

import pytest
from pydantic import ValidationError

from gateway_email.settings import Encryption, Settings

WHOLE = {"MAIL_HOST": "mail.example.com", "MAIL_FROM_ADDRESS": "Kabar@Example.com"}


def read(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name in ("HOST", "PORT", "USERNAME", "PASSWORD", "ENCRYPTION", "FROM_ADDRESS", "FROM_NAME"):
        monkeypatch.delenv(f"MAIL_{name}", raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_without_a_server_there_is_no_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).accounts() == ()


def test_a_server_is_one_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, **WHOLE)
    assert [account.sender for account in settings.accounts()] == ["email-1"]
    assert (settings.encryption, settings.server_port) == (Encryption.STARTTLS, 587)
    assert settings.from_address == "kabar@example.com"


@pytest.mark.parametrize(("encryption", "port"), [("tls", 465), ("STARTTLS", 587), ("none", 25)])
def test_each_encryption_has_its_port(monkeypatch: pytest.MonkeyPatch, encryption: str, port: int) -> None:
    assert read(monkeypatch, **WHOLE, MAIL_ENCRYPTION=encryption).server_port == port
    assert read(monkeypatch, **WHOLE, MAIL_ENCRYPTION=encryption, MAIL_PORT="2525").server_port == 2525


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"MAIL_HOST": "mail.example.com"}, "MAIL_FROM_ADDRESS"),
        ({**WHOLE, "MAIL_FROM_ADDRESS": "kabar"}, "MAIL_FROM_ADDRESS"),
        ({**WHOLE, "MAIL_FROM_NAME": "Kabar\nBcc: x@example.com"}, "MAIL_FROM_NAME"),
        ({**WHOLE, "MAIL_ENCRYPTION": "ssl"}, "MAIL_ENCRYPTION"),
        ({**WHOLE, "MAIL_PORT": "0"}, "MAIL_PORT"),
        ({**WHOLE, "MAIL_HOST": "smtp://mail.example.com"}, "MAIL_HOST"),
        ({**WHOLE, "MAIL_USERNAME": "kabar"}, "MAIL_PASSWORD"),
        ({**WHOLE, "MAIL_ENCRYPTION": "none", "MAIL_USERNAME": "kabar", "MAIL_PASSWORD": "rahasia"}, "MAIL_ENCRYPTION"),
    ],
)
def test_what_cannot_work_is_named(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        read(monkeypatch, **values)


def test_the_password_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, **WHOLE, MAIL_USERNAME="kabar", MAIL_PASSWORD="kata-sandi")
    assert "kata-sandi" in settings.secrets()
    assert "kata-sandi" not in repr(settings)
    assert "kata-sandi" not in repr(settings.accounts())
    assert settings.secrets().count("kata-sandi") == 1
    assert "kabar" not in settings.secrets()
