"""What this service reads from the environment."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from api_gateway.domain.accounts import Account, accounts
from common.config.bonus import BonusSettings
from common.config.secret_files import lines
from common.config.senders import SenderSettings
from common.kernel.phone import normalise_recipient

_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9._~-]{8,200}")
_SHORTEST = 16


class Settings(SenderSettings, BonusSettings):
    jwt_secret: SecretStr | None = Field(None, validation_alias="KABAR_JWT_SECRET")
    jwks_url: str | None = Field(None, validate_default=True, validation_alias="KABAR_JWKS_URL")
    jwt_issuer: str | None = Field(None, max_length=500, validation_alias="KABAR_JWT_ISSUER")
    jwt_audience: str | None = Field(None, max_length=500, validation_alias="KABAR_JWT_AUDIENCE")
    admin_accounts: SecretStr | None = Field(None, validation_alias="KABAR_ADMIN_ACCOUNTS")
    unknown_wait_seconds: float = Field(60.0, ge=0, le=3600, validation_alias="KABAR_UNKNOWN_WAIT_SECONDS")
    admin_number: str | None = Field(None, validation_alias="ADMIN_WHATSAPP_NUMBER")
    webhook_secret: SecretStr | None = Field(None, validation_alias="KABAR_WEBHOOK_SECRET")
    early_request_seconds: float = Field(60.0, ge=0, le=3600, validation_alias="KABAR_EARLY_REQUEST_SECONDS")
    fonnte_price: float = Field(0.0, ge=0, allow_inf_nan=False, validation_alias="FONNTE_PRICE_PER_MESSAGE")
    wablas_price: float = Field(0.0, ge=0, allow_inf_nan=False, validation_alias="WABLAS_PRICE_PER_MESSAGE")
    webhook_allow_private: bool = Field(default=False, validation_alias="KABAR_WEBHOOK_ALLOW_PRIVATE")
    webhook_allow_http: bool = Field(default=False, validation_alias="KABAR_WEBHOOK_ALLOW_HTTP")
    connect_timeout: float = Field(10.0, gt=0, le=300, validation_alias="WHATSAPP_CONNECT_TIMEOUT")
    read_timeout: float = Field(30.0, gt=0, le=300, validation_alias="WHATSAPP_READ_TIMEOUT")

    @field_validator("jwt_secret")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and min(map(len, lines(value)), default=0) < _SHORTEST:
            raise ValueError(f"{_SHORTEST} characters or more, and every line of several")
        return value

    @field_validator("admin_accounts")
    @classmethod
    def _accounts(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            accounts(value.get_secret_value())  # says itself what is wrong
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _one_part_of_an_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not (lines(value) and all(map(_WEBHOOK_SECRET.fullmatch, lines(value)))):
            raise ValueError("8 characters or more: letters, digits and . _ ~ -, as it is a part of an address")
        return value

    @field_validator("jwks_url")
    @classmethod
    def _an_address(cls, value: str | None, about: ValidationInfo) -> str | None:
        if value is None and about.data.get("jwt_secret", "refused") is None:
            raise ValueError("set KABAR_JWT_SECRET or KABAR_JWKS_URL, or nobody can sign in")
        if value is not None:
            parts = urlsplit(value)  # raises ValueError itself for the worst
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
                raise ValueError("must be an address like https://login.example.com/.well-known/jwks.json")
        return value

    @field_validator("admin_number")
    @classmethod
    def _number(cls, value: str | None) -> str | None:
        return None if value is None else normalise_recipient(value)

    @property
    def jwt_secrets(self) -> tuple[str, ...]:
        """What tokens may be signed with, the one that is to be used first."""
        return lines(self.jwt_secret)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """What the webhooks' addresses may end with."""
        return lines(self.webhook_secret)

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Who may sign in at the admin page with a password, by name."""
        return {} if self.admin_accounts is None else accounts(self.admin_accounts.get_secret_value())

    @property
    def prices(self) -> dict[str, float]:
        """Rupiah a sent message costs, by provider."""
        return {"fonnte": self.fonnte_price, "wablas": self.wablas_price}
