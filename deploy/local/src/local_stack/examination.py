"""Everything that is wrong with the settings, the stack's own and every service's, before anything is touched."""

import json
import subprocess
import sys
from collections.abc import Mapping

from local_stack.plan import for_services, sandbox_settings
from local_stack.program import bare_environment
from local_stack.services import Service
from local_stack.settings import Settings, SettingsError

# What the stack chooses later, as good as any for reading the rest.
_CHOSEN_LATER = {"KABAR_JWT_SECRET": "chosen-by-the-stack", "KABAR_HTTP_PORT": "8080"}
_SECONDS = 30


def read_settings(values: Mapping[str, str], services: tuple[Service, ...], sandbox: Service) -> Settings:
    """The stack's settings; SettingsError names every value that the stack or one of its services cannot use."""
    settings, problems = Settings.examine(values, services)
    wanted = [service for service in services if settings.replicas[service.name]]
    if settings.sandbox:
        wanted.append(sandbox)
        values = {**values, **sandbox_settings(values, 1, 1)}
    modules = [service.settings for service in wanted if service.settings]
    problems += _problems_of_services(modules, {**_CHOSEN_LATER, **for_services(values)})
    if problems:
        raise SettingsError(list(dict.fromkeys(problems)))
    return settings


def _problems_of_services(modules: list[str], values: Mapping[str, str]) -> list[str]:
    if not modules:
        return []
    port = {"KABAR_HTTP_PORT": _CHOSEN_LATER["KABAR_HTTP_PORT"]}
    answer = subprocess.run(  # noqa: S603 -- our own module
        [sys.executable, "-P", "-m", "local_stack.reading", *modules],
        check=False,
        env={**bare_environment(), **values, **port},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if answer.returncode != 0:
        reason = (answer.stderr.splitlines() or ["it said nothing"])[-1]
        return [f"the services' settings could not be read: {reason}"]
    found: list[str] = json.loads(answer.stdout)
    return found
