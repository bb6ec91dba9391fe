"""What the environment decides."""

from typing import ClassVar

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from gateway.domain.addresses import server_address, web_address
from gateway.domain.aliases import address_variable, credentials, listed, token_variable
from gateway.settings import GatewaySettings, readable_tokens

SEND_PATH = "/api/v2/send-message"
KNOWN_ENDINGS = (SEND_PATH, "/api/send-message", "/api/v2", "/api")
"""How an address that may be the server's or a send call's may end."""


class WablasSettings(GatewaySettings):
    """Wablas' own names beside the shared ones. Its servers differ by account, so none is assumed."""

    gateway_of: ClassVar[str] = "wablas"

    wablas_api_token: SecretStr | None = Field(None, validation_alias="WABLAS_API_TOKEN")
    wablas_secret_key: SecretStr | None = Field(None, validation_alias="WABLAS_SECRET_KEY")
    wablas_api_url: str | None = Field(None, validate_default=True, validation_alias="WABLAS_API_URL")

    @field_validator("wablas_api_token")
    @classmethod
    def _wablas_tokens(cls, value: SecretStr | None) -> SecretStr | None:
        return readable_tokens(value)

    @field_validator("wablas_secret_key")
    @classmethod
    def _one_for_each(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        values = cls.by_variable(info.data)
        name = token_variable(cls.gateway_of, values)
        if value is not None and name:
            credentials(listed(values[name] or ""), listed(value.get_secret_value()))
        return value

    @field_validator("wablas_api_url")
    @classmethod
    def _wablas_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            return web_address(value)
        values = cls.by_variable(info.data)
        name = token_variable(cls.gateway_of, values)
        if name and not address_variable(cls.gateway_of, values):
            raise ValueError(
                f"WABLAS_API_URL is needed because {name} is set: the account's server, like https://server.wablas.com"
            )
        return None

    def credentials(self) -> list[str]:
        secret = self.wablas_secret_key
        return credentials(self.tokens(), listed(secret.get_secret_value()) if secret else [])

    @property
    def server(self) -> str:
        """The account's server; empty when none is known."""
        found = self.address()
        return server_address(found[1], KNOWN_ENDINGS) if found else ""

    @property
    def send_address(self) -> str:
        """Where messages are posted to; empty when no server is known, and then there is no token either."""
        return self.server + SEND_PATH if self.server else ""
