"""Where every service's settings start from."""

import os
import sys
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import DirectoryPath, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from common.config.secret_files import DIRECTORY, SecretFiles

EXIT_CONFIGURATION = 78
"""The exit status sysexits.h gives to a configuration error."""


class ServiceSettings(BaseSettings):
    """What every process needs. Unknown variables do no harm; an empty one counts as unset."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )

    rabbitmq_url: SecretStr = Field(SecretStr("amqp://guest:guest@127.0.0.1:5672/"), validation_alias="RABBITMQ_URL")
    mongodb_url: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017/kabar?replicaSet=rs0"), validation_alias="MONGODB_URL"
    )
    http_host: str = Field("127.0.0.1", validation_alias="KABAR_HTTP_HOST")
    http_port: int = Field(8080, ge=0, le=65535, validation_alias="KABAR_HTTP_PORT")
    instance: str = Field(
        default_factory=lambda: f"{os.uname().nodename}-{os.getpid()}", validation_alias="KABAR_INSTANCE"
    )
    timezone: str = Field("Asia/Jakarta", validation_alias="KABAR_TIMEZONE")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", validation_alias="KABAR_LOG_LEVEL")
    secrets_directory: DirectoryPath | None = Field(None, validation_alias=DIRECTORY)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as it is called
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """A file wins over the environment: what is changed must count."""
        return init_settings, SecretFiles(settings_cls), env_settings

    @field_validator("rabbitmq_url")
    @classmethod
    def _rabbitmq(cls, value: SecretStr) -> SecretStr:
        return _with_scheme(value, "amqp://", "amqps://")

    @field_validator("mongodb_url")
    @classmethod
    def _mongodb(cls, value: SecretStr) -> SecretStr:
        return _with_scheme(value, "mongodb://", "mongodb+srv://")

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("not an IANA time zone, like Asia/Jakarta")
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def secrets(self) -> list[str]:
        """Every secret value among the settings, for the logs to keep quiet about."""
        return [value.get_secret_value() for _, value in self if isinstance(value, SecretStr)]


S = TypeVar("S", bound=ServiceSettings)


def load(settings: type[S]) -> S:
    """Read settings from the environment; on bad values name every one of them and exit with status 78."""
    try:
        return settings()
    except ValidationError as error:
        for line in problems(error):
            print(line, file=sys.stderr)  # noqa: T201 - logs are not configured before the settings are known
        sys.exit(EXIT_CONFIGURATION)


def problems(error: ValidationError) -> list[str]:
    """One line a problem: the variable's name and what is wrong with it, never its value."""
    return [f"configuration: {name}: {why}" for name, why in named_problems(error)]


def named_problems(error: ValidationError) -> list[tuple[str, str]]:
    """The variable's name and what is wrong with it, of every problem."""
    return [
        (".".join(str(part) for part in problem["loc"]) or "settings", problem["msg"])
        for problem in error.errors(include_input=False, include_url=False)
    ]


def _with_scheme(value: SecretStr, *schemes: str) -> SecretStr:
    if not value.get_secret_value().startswith(schemes):
        raise ValueError(f"must start with {' or '.join(schemes)}")
    return value
