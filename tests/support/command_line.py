"""`kabar` as somebody at a terminal runs it: in this process, or the installed program in one of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from kabar_cli.program import app
from tests.support.api import Api, token

PROGRAM = Path(sys.executable).with_name("kabar")
WIDTH = "120"


@dataclass(frozen=True)
class Ran:
    """How it ended and what it said where."""

    code: int
    out: str
    err: str


def ran(api: Api, *arguments: str, role: str = "admin", typed: str | None = None, **environment: str) -> Ran:
    """Run a command in this process; nothing is a terminal, and whatever it answers to a question is `typed`."""
    told = CliRunner().invoke(app, list(arguments), input=typed, env=surroundings(api.url, role) | environment)
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    return Ran(told.exit_code, told.stdout, told.stderr)


def installed(*arguments: str, environment: Mapping[str, str], typed: str = "") -> Ran:
    """Run the installed program, its output in pipes."""
    told = subprocess.run(
        [PROGRAM, *arguments], env={**clean(), **environment}, input=typed, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    return Ran(told.returncode, told.stdout, told.stderr)


def surroundings(url: str, role: str = "admin") -> dict[str, str]:
    return {"KABAR_URL": url, "KABAR_TOKEN": token(role), "KABAR_API_KEY": "", "COLUMNS": WIDTH}


def clean() -> dict[str, str]:
    """Our own environment without what says where Kabar is."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KABAR_")}
