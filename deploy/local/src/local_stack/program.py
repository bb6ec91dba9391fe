"""A program to start: what, with which environment, and where its process id is written."""

import hashlib
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Enough for every server here; and a low ceiling is quicker: Erlang closes each possible descriptor at start.
_OPEN_FILES = 20_000
STARTED_BY = "KABAR_STARTED_BY"


@dataclass(frozen=True)
class Program:
    """One process of a stack, under a supervisor or a test.

    It is started through a shell script that sets its environment, writes its process id and replaces itself by
    the program: the id in the file is the real one, and secrets stay out of command lines and of configuration
    with a syntax of its own.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: Path
    stop_seconds: int = 35
    # What must not differ for a running one to stay, beyond the command: settings and the code's own state.
    revision: str = ""

    def fingerprint(self) -> str:
        """Differs when the program has to be restarted to be what is described here."""
        return hashlib.sha256(repr((self.command, self.revision)).encode()).hexdigest()[:16]

    def pid_path(self, run: Path) -> Path:
        return run / f"{self.name}.pid"

    def script_path(self, run: Path) -> Path:
        return run / "programs" / f"{self.name}.sh"

    def write_script(self, run: Path) -> Path:
        """Write the start script, readable by its owner only; its path."""
        path = self.script_path(run)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, self._script(run))
        return path

    def _script(self, run: Path) -> str:
        pid = shlex.quote(str(self.pid_path(run)))
        exports = [f"export {name}={shlex.quote(value)}" for name, value in sorted(self.environment.items())]
        lines = [
            "#!/bin/sh",
            "set -e",
            f"ulimit -n {_OPEN_FILES} 2>/dev/null || true",
            *exports,
            # Whoever looks for this stack's processes, finds them by this mark.
            f"export {STARTED_BY}={shlex.quote(str(run))}",
            f"cd {shlex.quote(str(self.directory))}",
            f"echo $$ > {pid}.new",
            f"mv {pid}.new {pid}",
            f"exec {shlex.join(self.command)}",
        ]
        return "\n".join(lines) + "\n"


def write_private(path: Path, text: str) -> None:
    """Write `text` for its owner's eyes only, all of it or nothing."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def bare_environment() -> dict[str, str]:
    """What a program needs of the surroundings whatever it is: nothing that configures it by accident."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}
