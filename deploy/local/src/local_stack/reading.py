"""Reads the settings of services as each of them will, and prints what cannot be used: JSON, a list of lines.

    python -m local_stack.reading dispatcher.settings scheduler.settings

A process of its own, because a service reads its process's environment, and because this package knows no service.
"""

import importlib
import json
import os
import sys
from typing import Any


def problems(module_name: str) -> list[str]:
    """One line for each variable the service that owns this module would refuse."""
    module = importlib.import_module(module_name)
    lines: list[str] = []
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module_name:
            lines += _problems(value)
    return lines


def _problems(settings: Any) -> list[str]:
    if hasattr(settings, "from_environment"):
        try:
            settings.from_environment(os.environ)
        except ValueError as error:
            return str(error).split("; ")
    elif hasattr(settings, "model_fields"):
        try:
            settings()
        except ValueError as error:
            return _told(settings, error)
    return []


def _told(settings: Any, error: Any) -> list[str]:
    open_names = {
        field.validation_alias for field in settings.model_fields.values() if "Secret" not in repr(field.annotation)
    }
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        name = ".".join(map(str, problem["loc"])) or "settings"
        value = os.environ.get(name, "")
        # An address may hold a password.
        shown = f"{name} is {value!r}" if value and name in open_names and "@" not in value else name
        lines.append(f"{shown}: {problem['msg'].removeprefix('Value error, ')}")
    return lines


if __name__ == "__main__":
    json.dump([line for name in sys.argv[1:] for line in problems(name)], sys.stdout)
