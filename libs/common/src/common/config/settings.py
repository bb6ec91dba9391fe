"""Where every service's settings start from."""

import os
import sys
from typing import Literal, TypeVar
from urllib.parse import unquote, urlsplit
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
    otlp_endpoint: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    otlp_headers: SecretStr | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_HEADERS")
    sampler: Literal["parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"] = Field(
        "parentbased_always_on", validation_alias="OTEL_TRACES_SAMPLER"
    )
    sampler_ratio: float = Field(1.0, ge=0, le=1, validation_alias="OTEL_TRACES_SAMPLER_ARG")
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

    @field_validator("otlp_endpoint")
    @classmethod
    def _collector(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
                raise ValueError("must be an address like http://collector:4318")
        return value

    @property
    def sampled_share(self) -> float:
        """Of the traces that begin here."""
        shares = {"parentbased_always_on": 1.0, "parentbased_always_off": 0.0}
        return shares.get(self.sampler, self.sampler_ratio)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def secrets(self) -> list[str]:
        """Every secret value among the settings, for the logs to keep quiet about."""
        headers = self.otlp_headers.get_secret_value().split(",") if self.otlp_headers else []
        values = [unquote(header.partition("=")[2]).strip() for header in headers]
        return [*(value.get_secret_value() for _, value in self if isinstance(value, SecretStr)), *values]


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
