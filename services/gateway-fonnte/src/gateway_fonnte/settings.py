"""What the environment decides."""

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from gateway.domain.addresses import server_address, web_address
from gateway.settings import GatewaySettings, readable_tokens

SEND_ADDRESS = "https://api.fonnte.com/send"
OTHER_ENDINGS = ("/send", "/api/send-message")
"""How an address that may be the server's or the send call's may end."""


class FonnteSettings(GatewaySettings):
    """Fonnte's own names beside the shared ones."""

    gateway_of: ClassVar[str] = "fonnte"

    fonnte_api_token: SecretStr | None = Field(None, validation_alias="FONNTE_API_TOKEN")
    fonnte_api_url: str | None = Field(None, validation_alias="FONNTE_API_URL")

    @field_validator("fonnte_api_token")
    @classmethod
    def _fonnte_tokens(cls, value: SecretStr | None) -> SecretStr | None:
        return readable_tokens(value)

    @field_validator("fonnte_api_url")
    @classmethod
    def _fonnte_address(cls, value: str | None) -> str | None:
        return None if value is None else web_address(value)

    @property
    def send_address(self) -> str:
        """Where messages are posted to. `FONNTE_API_URL` is that address itself, the shared names may be the server."""
        found = self.address()
        if found is None:
            return SEND_ADDRESS
        name, address = found
        if name == "FONNTE_API_URL" and address.count("/") > 2:
            return address
        return server_address(address, OTHER_ENDINGS) + "/send"
