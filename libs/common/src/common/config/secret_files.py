"""Secrets from files: one for each, named like its setting, in `KABAR_SECRETS_DIRECTORY`.

So Docker and Kubernetes hand them over, and so they can be replaced while a service runs.
"""

import os
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

DIRECTORY = "KABAR_SECRETS_DIRECTORY"


class SecretFiles(PydanticBaseSettingsSource):
    """Only secrets come from there; a file that is empty or not there sets nothing."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - as asked
        return self().get(variable(field)), variable(field), False

    def __call__(self) -> dict[str, str]:
        return read_secrets(self.settings_cls)


def variable(field: FieldInfo) -> str:
    """The name a setting has outside."""
    return str(field.validation_alias)


def secrets_among(settings: type[BaseSettings]) -> dict[str, str]:
    """The secrets of these settings: what each is called outside and inside."""
    return {
        variable(field): name
        for name, field in settings.model_fields.items()
        if SecretStr in (field.annotation, *get_args(field.annotation))
    }


def lines(secret: SecretStr | None) -> tuple[str, ...]:
    """Its lines: of a secret that is being replaced the new one and the old one."""
    text = "" if secret is None else secret.get_secret_value()
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def read_secrets(settings: type[BaseSettings]) -> dict[str, str]:
    """What the files of these settings' secrets hold, by the name of the setting.

    Raises `ValidationError` naming every file that cannot be read.
    """
    if not (directory := os.environ.get(DIRECTORY)):
        return {}
    found: dict[str, str] = {}
    problems: list[InitErrorDetails] = []
    for name in secrets_among(settings):
        try:
            text = (Path(directory) / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or "it is no UTF-8 text"
            unreadable = PydanticCustomError("secret_file", "its file cannot be read: {why}", {"why": why})
            problems.append(InitErrorDetails(type=unreadable, loc=(name,), input=None))
            continue
        if text:
            found[name] = text
    if problems:
        raise ValidationError.from_exception_data(settings.__name__, problems, hide_input=True)
    return found
