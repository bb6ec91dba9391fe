"""Turns settings and ports into the programs of a stack. Nothing is started here."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local_stack.program import Program, bare_environment
from local_stack.services import SANDBOX, Service
from local_stack.settings import Settings

# A change of these restarts the services. The terminal's and the login's own variables are handed on too, but
# differ from one shell to the next without meaning anything.
_MEANINGFUL = (
    *("KABAR_", "WHATSAPP_", "FONNTE_", "WABLAS_", "WOOWA_", "META_", "MAIL_", "ADMIN_", "RABBITMQ_", "MONGODB_"),
    *("OTEL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_", "TZ", "PYTHON"),
)


# What only the stack obeys: a service neither reads it nor is restarted because of it.
_OF_THE_STACK = ("KABAR_SANDBOX", "KABAR_RUN_DIRECTORY")
_REPLICAS = "KABAR_REPLICAS_"


@dataclass(frozen=True)
class Instance:
    """One process of a service: `name` as in `dispatcher-2`, and the port it listens on."""

    service: Service
    number: int
    port: int

    @property
    def name(self) -> str:
        return f"{self.service.name}-{self.number}"


def for_services(values: Mapping[str, str]) -> dict[str, str]:
    """The settings without what only the stack obeys."""
    return {
        name: value for name, value in values.items() if name not in _OF_THE_STACK and not name.startswith(_REPLICAS)
    }


def mails_to_sandbox(values: Mapping[str, str]) -> bool:
    """Whether the sandbox takes the mails, too: unless there is a real mail server that was not overruled."""
    return "MAIL_HOST" not in values or values.get("KABAR_SANDBOX", "").lower() == "on"


def sandbox_settings(values: Mapping[str, str], port: int, mail_port: int) -> dict[str, str]:
    """What points everything at the sandbox; tokens the operator chose are kept, so that several can be tried."""
    here = f"http://127.0.0.1:{port}"
    mail = {
        "MAIL_HOST": "127.0.0.1",
        "MAIL_PORT": str(mail_port),
        "MAIL_ENCRYPTION": "none",
        "MAIL_FROM_ADDRESS": values.get("MAIL_FROM_ADDRESS", "kabar@example.com"),
    }
    return {
        "KABAR_SANDBOX_MAIL_PORT": str(mail_port),
        **(mail if mails_to_sandbox(values) else {}),
        "FONNTE_API_TOKEN": values.get("FONNTE_API_TOKEN", "sandbox-fonnte-token"),
        "FONNTE_API_URL": f"{here}/fonnte/send",
        "WABLAS_API_TOKEN": values.get("WABLAS_API_TOKEN", "sandbox-wablas-token"),
        "WABLAS_SECRET_KEY": values.get("WABLAS_SECRET_KEY", "sandbox-wablas-secret"),
        "WABLAS_API_URL": f"{here}/wablas",
    }


def instances(settings: Settings, services: tuple[Service, ...]) -> Iterator[tuple[Service, int]]:
    """Each wanted process as its service and its number, from 1."""
    for service in services:
        for number in range(1, settings.replicas[service.name] + 1):
            yield service, number


def service_program(instance: Instance, values: Mapping[str, str], *, tree: Path, code: str) -> Program:
    """The program of one process; `values` are the settings all share, `code` says which code it runs."""
    own = {
        **values,
        "KABAR_HTTP_PORT": str(instance.port),
        "KABAR_INSTANCE": instance.name,
        "PYTHONUNBUFFERED": "1",
    }
    meaningful = sorted((name, value) for name, value in own.items() if name.upper().startswith(_MEANINGFUL))
    revision = hashlib.sha256(repr((meaningful, code)).encode()).hexdigest()
    return Program(
        name=instance.name,
        command=instance.service.command,
        environment={**bare_environment(), **own},
        directory=tree,
        stop_seconds=10 if instance.service is SANDBOX else 35,
        revision=revision,
    )


def code_revision(tree: Path) -> str:
    """Changes when a file of the libraries or services does; looks at names, sizes and times only."""
    seen = hashlib.sha256()
    for part in ("libs", "services"):
        for path in sorted((tree / part).glob("*/src/**/*")):
            if "__pycache__" not in path.parts and path.is_file():
                status = path.stat()
                seen.update(f"{path}:{status.st_size}:{status.st_mtime_ns}\n".encode())
    return seen.hexdigest()
