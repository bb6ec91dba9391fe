"""Keeps programs running: writes supervisord's configuration, starts it and talks to it over its socket."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault

import psutil

from local_stack.calls import call
from local_stack.program import Program, bare_environment, write_private

# A unix socket's address holds 108 bytes, and supervisord appends its process id while it binds.
_LONGEST_SOCKET_PATH = 90
_STOPPED = {"STOPPED", "FATAL"}


class SupervisorFailedError(RuntimeError):
    """supervisord did not start or did not end."""


@dataclass(frozen=True)
class State:
    """What the supervisor knows of one program; `started` is seconds since the epoch of its latest start."""

    name: str
    running: bool
    pid: int
    started: float


class Supervisor:
    """One supervisord with everything it writes below `run`."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._configuration = run / "supervisord.conf"
        self.logs = run / "logs"

    def is_running(self) -> bool:
        try:
            self._call("getState")
        except (OSError, Fault):
            return False
        return True

    def states(self) -> dict[str, State]:
        """Every known program by name; nothing when the supervisor does not run."""
        try:
            known = self._rows()
        except (OSError, Fault):
            return {}
        return {
            row["name"]: State(row["name"], row["statename"] in {"RUNNING", "STARTING"}, row["pid"], row["start"])
            for row in known
        }

    def apply(self, programs: Sequence[Program]) -> None:
        """Know exactly these programs; the ones that are gone or not what they were are stopped."""
        self.logs.mkdir(mode=0o700, exist_ok=True)
        for program in programs:
            program.write_script(self._run)
        write_private(self._configuration, self._render(programs))
        if not self.is_running():
            self._start_daemon()
            return
        ((added, changed, removed),) = self._call("reloadConfig")
        self.stop([*changed, *removed])
        for name in (*changed, *removed):
            self._call("removeProcessGroup", name)
        for name in (*added, *changed):
            self._call("addProcessGroup", name)

    def start(self, names: Iterable[str]) -> None:
        """Start those of them that do not run, without waiting for what they do then."""
        states = self.states()
        for name in names:
            if not states[name].running:
                self._call("startProcess", name, False)  # noqa: FBT003 -- XML-RPC knows no keywords

    def stop(self, names: Iterable[str]) -> None:
        """Ask all of them to end at once and return when they have; each is killed when its time is up."""
        wanted, asked = set(names), set()
        while rows := [row for row in self._rows() if row["name"] in wanted and row["statename"] not in _STOPPED]:
            # One that just ended by itself cannot be stopped, but is about to be started again; then it can.
            for row in rows:
                if row["name"] not in asked and row["pid"] and row["statename"] != "EXITED":
                    with suppress(Fault, ProcessLookupError):
                        # One that a test made hang has to hear us.
                        os.kill(row["pid"], signal.SIGCONT)
                        self._call("stopProcess", row["name"], False)  # noqa: FBT003 -- XML-RPC knows no keywords
                        asked.add(row["name"])
            time.sleep(0.03)

    def shut_down(self) -> None:
        """End supervisord, and with it whatever it still runs."""
        pid = self._call("getPID")
        self._call("shutdown")
        deadline = time.monotonic() + 45
        while _exists(pid):
            if time.monotonic() > deadline:
                raise SupervisorFailedError(f"the supervisor (process {pid}) does not end")
            time.sleep(0.02)

    def forget_socket(self) -> None:
        """Delete the socket's folder when it is outside of the run directory."""
        if self._socket().parent != self._run:
            shutil.rmtree(self._socket().parent)

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._call("getAllProcessInfo")
        return rows

    def _call(self, method: str, *arguments: str | bool) -> Any:
        return call(self._socket(), method, *arguments)

    def _socket(self) -> Path:
        """The socket's path: below the run directory, or short and in a private folder when that is too long."""
        plain = self._run / "supervisord.sock"
        if len(os.fsencode(plain)) <= _LONGEST_SOCKET_PATH:
            return plain
        note = self._run / "supervisord.socket-folder"
        if not note.exists() or not Path(note.read_text()).is_dir():
            write_private(note, tempfile.mkdtemp(prefix="kabar-"))
        return Path(note.read_text()) / "supervisord.sock"

    def _start_daemon(self) -> None:
        command = [sys.executable, "-m", "local_stack.daemon", "-c", self._configuration.name]
        output = self.logs / "supervisord-start.log"
        with output.open("wb") as log:
            # Files and not pipes: a daemon's children would keep a pipe open for ever.
            ended = subprocess.run(  # noqa: S603 -- our own module
                command,
                check=False,
                cwd=self._run,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=bare_environment(),
            )
        deadline = time.monotonic() + 10
        while not self.is_running():
            if ended.returncode != 0 or time.monotonic() > deadline:
                raise SupervisorFailedError(f"the supervisor did not start:\n{output.read_text(errors='replace')}")
            time.sleep(0.02)

    def _render(self, programs: Sequence[Program]) -> str:
        # supervisord asks for the user when root starts it, although it is the one it runs as anyway.
        user = ["user=root"] if os.geteuid() == 0 else []
        lines = [
            # Paths are relative to the run directory, so that no character in its name means anything here.
            *("[unix_http_server]", f"file={os.path.relpath(self._socket(), self._run)}", "chmod=0700"),
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
            *("[supervisord]", *user, "pidfile=supervisord.pid", "logfile=logs/supervisord.log"),
            *("logfile_maxbytes=5MB", "logfile_backups=1", "umask=077"),
            *(line for program in programs for line in self._section(program)),
        ]
        return "\n".join(lines) + "\n"

    def _section(self, program: Program) -> list[str]:
        return [
            f"[program:{program.name}]",
            # The fingerprint makes supervisord see that a script's content changed.
            f"command=/bin/sh {program.script_path(self._run).relative_to(self._run)} {program.fingerprint()}",
            *("autostart=false", "autorestart=true", "startsecs=0"),
            *(f"stopwaitsecs={program.stop_seconds}", "killasgroup=true"),
            f"stdout_logfile=logs/{program.name}.log",
            *("redirect_stderr=true", "stdout_logfile_maxbytes=20MB", "stdout_logfile_backups=2"),
        ]


def _exists(pid: int) -> bool:
    try:
        # What has ended but was not collected yet by its new parent has ended.
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
