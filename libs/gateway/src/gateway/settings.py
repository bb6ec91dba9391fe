"""What every WhatsApp gateway is told by the environment."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from pydantic import Field, SecretStr, field_validator

from common.config.settings import ServiceSettings
from common.config.whatsapp import PROVIDERS
from gateway.domain.account import Account, accounts
from gateway.domain.addresses import web_address
from gateway.domain.aliases import address_variable, listed, token_variable


class Told(Protocol):
    """What every gateway is told, of whatever channel."""

    @property
    def gateway_of(self) -> str: ...

    @property
    def instance(self) -> str: ...

    @property
    def connect_timeout(self) -> float: ...

    @property
    def read_timeout(self) -> float: ...


class GatewaySettings(ServiceSettings):
    """The shared names; a provider's own class adds its token and address and says who it is in `gateway_of`."""

    gateway_of: ClassVar[str]

    enabled: bool = Field(default=True, validation_alias="WHATSAPP_ENABLED")
    provider: str = Field("fonnte", validation_alias="WHATSAPP_PROVIDER")
    api_token: SecretStr | None = Field(None, validation_alias="WHATSAPP_API_TOKEN")
    api_key: SecretStr | None = Field(None, validation_alias="WHATSAPP_API_KEY")
    api_url: str | None = Field(None, validation_alias="WHATSAPP_API_URL")
    backup_provider: str = Field("wablas", validation_alias="WHATSAPP_BACKUP_PROVIDER")
    backup_api_token: SecretStr | None = Field(None, validation_alias="WHATSAPP_BACKUP_API_TOKEN")
    backup_api_url: str | None = Field(None, validation_alias="WHATSAPP_BACKUP_API_URL")
    connect_timeout: float = Field(10.0, gt=0, le=300, validation_alias="WHATSAPP_CONNECT_TIMEOUT")
    read_timeout: float = Field(30.0, gt=0, le=300, validation_alias="WHATSAPP_READ_TIMEOUT")

    @field_validator("provider", "backup_provider")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in PROVIDERS:
            raise ValueError(f"not a provider with a gateway; known: {', '.join(PROVIDERS)}")
        return value

    @field_validator("api_token", "api_key", "backup_api_token")
    @classmethod
    def _tokens(cls, value: SecretStr | None) -> SecretStr | None:
        return readable_tokens(value)

    @field_validator("api_url", "backup_api_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return None if value is None else web_address(value)

    def tokens(self) -> list[str]:
        """The provider's tokens, whichever variable they came from; empty when none is set."""
        values = self.by_variable(dict(self))
        name = token_variable(self.gateway_of, values)
        return listed(values[name] or "") if name else []

    def address(self) -> tuple[str, str] | None:
        """The variable that holds the provider's address, and the address; `None` when none is set."""
        values = self.by_variable(dict(self))
        name = address_variable(self.gateway_of, values)
        return (name, values[name] or "") if name else None

    def credentials(self) -> list[str]:
        """What each sender proves itself with, in order."""
        return self.tokens()

    def accounts(self) -> tuple[Account, ...]:
        """The senders to register; none while WhatsApp is switched off or no token is set."""
        return accounts(self.gateway_of, self.credentials()) if self.enabled else ()

    def secrets(self) -> list[str]:
        """Also each single part of a comma-separated list: that is how they travel."""
        whole = super().secrets()
        return [*whole, *(part.strip() for secret in whole for part in secret.split(",")), *self.credentials()]

    @classmethod
    def by_variable(cls, fields: Mapping[str, Any]) -> dict[str, str | None]:
        """Every text among these fields under the name of its environment variable."""
        values: dict[str, str | None] = {}
        for name, value in fields.items():
            plain = value.get_secret_value() if isinstance(value, SecretStr) else value
            variable = cls.model_fields[name].validation_alias
            if isinstance(variable, str) and isinstance(plain, str):
                values[variable] = plain
        return values


def readable_tokens(value: SecretStr | None) -> SecretStr | None:
    """The value unchanged. Raises `ValueError` when it is no list of tokens."""
    if value is not None and not listed(value.get_secret_value()):
        raise ValueError("holds no token")
    return value
