"""Which services there are and which environment variables each of them reads: from the code, for drift tests."""

import importlib
from pathlib import Path

from common.config.settings import ServiceSettings
from local_stack.services import SERVICES

ROOT = Path(__file__).parents[2]
SERVICE_NAMES = tuple(service.name for service in SERVICES)


def settings_class(service: str) -> type[ServiceSettings]:
    """The settings class a service's own module declares; there is exactly one."""
    module = importlib.import_module(f"{service.replace('-', '_')}.settings")
    (found,) = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value.__module__ == module.__name__
    ]
    return found


def variables(service: str) -> set[str]:
    """Every environment variable the service reads."""
    return {str(field.validation_alias) for field in settings_class(service).model_fields.values()}
