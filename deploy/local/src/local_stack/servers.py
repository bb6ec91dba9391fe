"""Private servers for a test: real RabbitMQ and mongod on free ports of 127.0.0.1, stopped by process id."""

import atexit
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from local_stack.mongodb import MongoDB
from local_stack.ports import Ports
from local_stack.program import Program, bare_environment
from local_stack.rabbitmq import RabbitMQ, RabbitMQPorts

_START_SECONDS = 60.0


class ServerFailedError(RuntimeError):
    """A server ended at start or did not become ready in time; the text ends with its last log lines."""


@cache
def _parent() -> ThreadPoolExecutor:
    """The one thread that starts servers: for Linux it is their parent, and it lives as long as this process."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="servers")


@cache
def _die_with_parent() -> tuple[str, ...]:
    """Becomes the program that follows, which the kernel kills when this process is gone, however it ended."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


class Running:
    """One started program: stop it, kill it, make it hang."""

    def __init__(self, program: Program, directory: Path) -> None:
        self._program = program
        self._directory = directory
        self.log = directory / f"{program.name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the server itself; 0 when it does not run."""
        return self._child.pid if self._child is not None and self.alive else 0

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        if self.alive:
            return
        script = self._program.write_script(self._directory)
        # Nothing may outlive a test run that ended by an exception before it could stop its servers.
        atexit.register(self.kill)
        with self.log.open("ab") as log:
            # A session of its own, so that Ctrl-C at the test does not reach the server before the test is done.
            self._child = (
                _parent()
                .submit(
                    subprocess.Popen,
                    [*_die_with_parent(), "/bin/sh", str(script)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=bare_environment(),
                    start_new_session=True,
                )
                .result()
            )

    def stop(self) -> None:
        """Ask it to end and wait; kill it when it does not."""
        if self._child is None or not self.alive:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self._child.wait(self._program.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """As a power cut would: SIGKILL, and wait until it is gone."""
        if self._child is not None and self.alive:
            self.signal(signal.SIGKILL)
            self._child.wait()

    def signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(number)

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-20:])


class _Private:
    """What both servers have in common: start, wait, stop, kill, hang and resume."""

    url: str

    def __init__(self, running: Running, is_ready: Callable[[], bool]) -> None:
        self._running = running
        self._is_ready = is_ready

    @property
    def pid(self) -> int:
        """The process id of the server itself; 0 when it does not run."""
        return self._running.pid

    def start(self, *, wait: bool = True) -> Self:
        """Start it, again after `stop` or `kill` with what it stored; returns when it is ready."""
        self._running.start()
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                # Nobody gets it, so nobody would end it.
                self.stop()
                raise
        return self

    def wait_ready(self, seconds: float = _START_SECONDS) -> None:
        """Return when the server can be used; ServerFailedError when it ended or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            if not self._running.alive:
                raise ServerFailedError(f"the server ended at start:\n{self._running.last_lines()}")
            if time.monotonic() > deadline:
                raise ServerFailedError(f"the server is not ready after {seconds:.0f} s:\n{self._running.last_lines()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it properly and wait until it is gone."""
        self._running.stop()

    def kill(self) -> None:
        """End it as a power cut would; `start` brings it back with what it had stored."""
        self._running.kill()

    def pause(self) -> None:
        """Make it hang: connections stay open and nothing answers."""
        self._running.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._running.signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class PrivateRabbitMQ(_Private):
    """A RabbitMQ node of its own below `directory`; `url` is its amqp address."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = Ports(directory / "ports.json")
        numbers = RabbitMQPorts(ports.keep("amqp"), ports.keep("distribution"), ports.keep("epmd"))
        self.settings = RabbitMQ(directory.resolve(), numbers)
        mapper, broker = self.settings.programs()
        self._mapper = Running(mapper, directory)
        self.url = self.settings.url
        super().__init__(Running(broker, directory), self.settings.is_ready)

    def start(self, *, wait: bool = True) -> Self:
        self.settings.prepare()
        self._mapper.start()
        return super().start(wait=wait)

    def stop(self) -> None:
        super().stop()
        self._mapper.stop()


class PrivateMongo(_Private):
    """A mongod of its own below `directory`, a replica set of one; `url` names the database `kabar`."""

    def __init__(self, directory: Path, parameters: Mapping[str, str] = MappingProxyType({})) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = Ports(directory / "ports.json")
        self.settings = MongoDB(directory.resolve() / "mongodb", ports.keep("mongodb"), parameters)
        self.url = self.settings.url
        super().__init__(Running(self.settings.program(), directory), self.settings.is_ready)

    def start(self, *, wait: bool = True) -> Self:
        self.settings.prepare()
        return super().start(wait=wait)
