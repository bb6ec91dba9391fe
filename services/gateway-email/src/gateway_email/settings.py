"""What the environment decides."""

from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from common.config.settings import ServiceSettings
from common.contracts.vocabulary import MAIL_PROVIDER
from common.kernel.email import InvalidEmail, normalise_email
from common.kernel.text import first_control_character
from gateway.domain.account import Account, accounts

THIS_MACHINE = ("localhost", "127.", "::1")


class Encryption(StrEnum):
    """`tls` from the first byte, `starttls` after greeting in plain text (and nothing is sent without), or `none`."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


PORTS = {Encryption.TLS: 465, Encryption.STARTTLS: 587, Encryption.NONE: 25}


class Settings(ServiceSettings):
    """The mail server and who writes. Without `MAIL_HOST` there is no sender and nothing is sent."""

    gateway_of: ClassVar[str] = MAIL_PROVIDER

    host: str | None = Field(None, pattern=r"^[^\s/@]+$", validation_alias="MAIL_HOST")
    port: int | None = Field(None, ge=1, le=65535, validation_alias="MAIL_PORT")
    username: SecretStr | None = Field(None, validation_alias="MAIL_USERNAME")
    password: SecretStr | None = Field(None, validation_alias="MAIL_PASSWORD")
    encryption: Encryption = Field(Encryption.STARTTLS, validation_alias="MAIL_ENCRYPTION")
    from_address: str | None = Field(None, validation_alias="MAIL_FROM_ADDRESS")
    from_name: str | None = Field(None, max_length=120, validation_alias="MAIL_FROM_NAME")
    connect_timeout: float = Field(10.0, gt=0, le=300, validation_alias="KABAR_MAIL_CONNECT_TIMEOUT")
    read_timeout: float = Field(30.0, gt=0, le=300, validation_alias="KABAR_MAIL_READ_TIMEOUT")

    @field_validator("encryption", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("from_address")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        try:
            return None if value is None else normalise_email(value)
        except InvalidEmail as error:
            raise ValueError(str(error)) from error

    @field_validator("from_name")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and (first_control_character(value) is not None or "\n" in value or "\t" in value):
            raise ValueError("must be one line of text")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Raises `ValueError` naming everything that is missing beside what is set."""
        problems = []
        if self.host is not None and self.from_address is None:
            problems.append("MAIL_FROM_ADDRESS is needed because MAIL_HOST is set")
        if (self.username is None) != (self.password is None):
            problems.append("MAIL_USERNAME and MAIL_PASSWORD are needed together, or neither")
        if self.password is not None and self.encryption is Encryption.NONE and not self._on_this_machine:
            problems.append(
                "MAIL_ENCRYPTION=none would tell MAIL_PASSWORD to everybody on the way; use starttls or tls"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def secrets(self) -> list[str]:
        """Without the name of the login, which may be a word that every log has."""
        name = None if self.username is None else self.username.get_secret_value()
        return [secret for secret in super().secrets() if secret != name]

    @property
    def _on_this_machine(self) -> bool:
        return self.host is not None and self.host.startswith(THIS_MACHINE)

    @property
    def server_port(self) -> int:
        """The port that was set, or the usual one."""
        return self.port or PORTS[self.encryption]

    def accounts(self) -> tuple[Account, ...]:
        """The one sender, `email-1`; none without a mail server."""
        return () if self.host is None else accounts(self.gateway_of, [self.host])
