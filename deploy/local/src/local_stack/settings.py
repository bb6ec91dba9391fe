"""What the operator asked for: the environment over `.env`, read once and refused with every problem named."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from local_stack.services import Service

_PROVIDER_TOKENS = (
    "FONNTE_API_TOKEN",
    "WABLAS_API_TOKEN",
    "WHATSAPP_API_TOKEN",
    "WHATSAPP_API_KEY",
    "WHATSAPP_BACKUP_API_TOKEN",
)
_MOST_REPLICAS = 64


class SettingsError(ValueError):
    """Settings that cannot be used; the text names each of them."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n  ".join(["these settings cannot be used:", *problems]))


def read_surroundings(tree: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The tree's `.env` with the environment over it, and over both what services find in `KABAR_SECRETS_DIRECTORY`.

    A variable that is set but empty counts as not set.
    """
    written = {name: value or "" for name, value in dotenv_values(tree / ".env").items()}
    values = {name: value for name, value in {**written, **environment}.items() if value}
    return {**values, **_in_files(tree, values.get("KABAR_SECRETS_DIRECTORY"))}


def _in_files(tree: Path, directory: str | None) -> dict[str, str]:
    """Those of the files the stack itself has to know; one that cannot be read is for the services to name."""
    found: dict[str, str] = {}
    for name in (*_PROVIDER_TOKENS, "KABAR_JWT_SECRET", "KABAR_WEBHOOK_SECRET") if directory else ():
        with contextlib.suppress(OSError, UnicodeError):
            found[name] = (tree / str(directory) / name).read_text(encoding="utf-8").strip()
    return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class Settings:
    """The settings the stack itself obeys; `values` is all of them, for the services."""

    values: Mapping[str, str] = field(repr=False)
    rabbitmq_url: str | None
    mongodb_url: str | None
    http_port: int | None
    sandbox: bool
    replicas: Mapping[str, int]

    @classmethod
    def read(cls, values: Mapping[str, str], services: tuple[Service, ...]) -> "Settings":
        """Raises SettingsError naming every value that the stack itself cannot use."""
        settings, problems = cls.examine(values, services)
        if problems:
            raise SettingsError(problems)
        return settings

    @classmethod
    def examine(cls, values: Mapping[str, str], services: tuple[Service, ...]) -> tuple["Settings", list[str]]:
        """The settings with the usual in place of what cannot be used, and what that is."""
        problems: list[str] = []
        port = _number(values, "KABAR_HTTP_PORT", 0, range(1, 65_536), problems)
        replicas = {
            service.name: _number(values, service.replicas_setting, 1, range(_MOST_REPLICAS + 1), problems)
            for service in services
        }
        sandbox = _wants_sandbox(values, problems)
        settings = cls(
            values=values,
            rabbitmq_url=values.get("RABBITMQ_URL"),
            mongodb_url=values.get("MONGODB_URL"),
            http_port=port or None,
            sandbox=sandbox,
            replicas=replicas,
        )
        return settings, problems


def _number(values: Mapping[str, str], name: str, default: int, allowed: range, problems: list[str]) -> int:
    text = values.get(name)
    if text is None:
        return default
    if text.strip().isdecimal() and int(text) in allowed:
        return int(text)
    problems.append(f"{name} is {text!r}: expected a whole number from {allowed.start} to {allowed.stop - 1}")
    return default


def _wants_sandbox(values: Mapping[str, str], problems: list[str]) -> bool:
    match values.get("KABAR_SANDBOX", "auto").lower():
        case "auto":
            return not any(values.get(name) for name in _PROVIDER_TOKENS)
        case "on":
            return True
        case "off":
            return False
        case other:
            problems.append(f"KABAR_SANDBOX is {other!r}: expected auto, on or off")
            return not any(values.get(name) for name in _PROVIDER_TOKENS)
