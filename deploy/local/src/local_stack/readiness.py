"""Waits until programs can be used, and says which one cannot and why."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from local_stack.supervisor import State, Supervisor

_DEATHS_TOO_MANY = 3
_LAST_LINES = 20
PLAIN_HTTP = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For a client that meets plain HTTP only: it trusts nobody, as reading whom to trust takes longer than asking does."""


class NotReadyError(RuntimeError):
    """A program keeps ending or does not become ready; the text ends with its last log lines."""

    def __init__(self, name: str, reason: str, log: Path, unready: tuple[str, ...]) -> None:
        self.unready = unready
        lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:] if log.exists() else []
        shown = "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
        super().__init__(f"{name} {reason}. Its last lines:\n{shown}\n  More: {log}")


@dataclass(frozen=True)
class Endpoint:
    """Where a process says over HTTP whether it is ready."""

    port: int

    def is_ready(self, state: State) -> bool:
        """Whether this very process serves the port, and what answers there is ready."""
        if not listens(state.pid, self.port):
            return False
        try:
            url = f"http://127.0.0.1:{self.port}/readyz"
            return httpx.get(url, timeout=2, trust_env=False, verify=PLAIN_HTTP).is_success
        except httpx.HTTPError:
            return False


def listens(pid: int, port: int) -> bool:
    """Whether process `pid`, or one below it, accepts connections on `port`."""
    try:
        process = psutil.Process(pid)
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for each in (process, *process.children(recursive=True))
            for connection in each.net_connections("tcp")
        )
    except psutil.Error:
        return False


Check = Callable[[State], bool]


def wait_until_ready(supervisor: Supervisor, checks: Mapping[str, Check], seconds: float) -> None:
    """Return when each named program passed its check; NotReadyError for the first that cannot.

    A program that ended three times meanwhile is not waited for any longer.
    """
    deadline = time.monotonic() + seconds
    waiting = dict(checks)
    starts: dict[str, set[tuple[float, int]]] = {name: set() for name in checks}
    while True:
        states = supervisor.states()
        for name in list(waiting):
            state = states.get(name)
            if state is not None and state.running:
                starts[name].add((state.started, state.pid))
                if waiting[name](state):
                    del waiting[name]
            if len(starts[name]) > _DEATHS_TOO_MANY:
                raise NotReadyError(name, "keeps ending at start", supervisor.logs / f"{name}.log", tuple(waiting))
        if not waiting:
            return
        if time.monotonic() > deadline:
            name = next(iter(waiting))
            raise NotReadyError(name, "is not ready in time", supervisor.logs / f"{name}.log", tuple(waiting))
        time.sleep(0.05)
