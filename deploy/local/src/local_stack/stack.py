"""The whole of Kabar on this machine: servers and services, supervised, in a directory of its own."""

import fcntl
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_stack.access import Access
from local_stack.examination import read_settings
from local_stack.layout import Layout, Surroundings, lay_out, without_own_servers
from local_stack.leftovers import end_leftovers
from local_stack.mongodb import MongoDB
from local_stack.ports import Ports
from local_stack.program import write_private
from local_stack.prometheus import is_ready as prometheus_is_ready
from local_stack.rabbitmq import speaks_amqp
from local_stack.reach import check_mongodb, check_rabbitmq
from local_stack.readiness import Check, Endpoint, NotReadyError, listens, wait_until_ready
from local_stack.sample import load_sample_people
from local_stack.services import SANDBOX, SERVICES, Service
from local_stack.supervisor import State, Supervisor

TREE = Path(__file__).resolve().parents[4]
_START_SECONDS = 60.0
SERVERS = ("rabbitmq", "mongodb", "epmd", "prometheus")


@dataclass(frozen=True)
class Status:
    """One process as `make status` shows it."""

    state: State
    port: int
    ready: bool


class Stack:
    """A complete Kabar in `directory`, beside any number of others.

    `values` are all its settings, as in `.env`; nothing else of the surroundings configures it. Servers named by
    RABBITMQ_URL and MONGODB_URL are used and never started or stopped. Process ids are in
    `directory/<service>-<n>.pid`, `rabbitmq.pid` and `mongodb.pid`, logs in `directory/logs`. `watched`: Prometheus
    looks at it, where that is installed.
    """

    def __init__(
        self,
        directory: Path,
        values: Mapping[str, str],
        *,
        services: tuple[Service, ...] = SERVICES,
        sandbox: Service = SANDBOX,
        preferred_port: int | None = None,
        tree: Path = TREE,
        watched: bool = False,
    ) -> None:
        self.directory = directory.resolve()
        self.supervisor = Supervisor(self.directory)
        self._values = dict(values)
        self._place = Surroundings(self.directory, tree, services, sandbox, preferred_port, watched)

    def up(self, *, seconds: float = _START_SECONDS) -> Access:
        """Start what does not run, restart what is not what the settings ask for, wait until all are ready.

        Raises SettingsError, PortTakenError, UnreachableError before anything is touched; NotReadyError when a
        program fails, which is then stopped while the others keep running.
        """
        ports = Ports(self.directory / "ports.json")
        values = without_own_servers(self._values, self.directory, ports)
        settings = read_settings(values, self._place.services, self._place.sandbox)
        if settings.rabbitmq_url:
            check_rabbitmq(settings.rabbitmq_url)
        if settings.mongodb_url:
            check_mongodb(settings.mongodb_url)
        with self._locked():
            if not self.supervisor.is_running():
                end_leftovers(self.directory)
            layout = lay_out(self._place, settings, ports, self.supervisor.states())
            for server in (layout.rabbitmq, layout.mongodb, layout.prometheus):
                if server is not None:
                    server.prepare()
            self.supervisor.apply(layout.programs)
            self._start(layout, seconds)
            access = _access(layout)
            write_private(self.directory / "env", access.shell())
        return access

    def _start(self, layout: Layout, seconds: float) -> None:
        begin = time.monotonic()
        try:
            self.supervisor.start(program.name for program in layout.server_programs)
            wait_until_ready(self.supervisor, _server_checks(layout), seconds)
            if layout.sandbox is not None:
                load_sample_people(layout.mongodb_url)
            self.supervisor.start(program.name for program in layout.programs)
            wait_until_ready(self.supervisor, _service_checks(layout), seconds - (time.monotonic() - begin))
        except NotReadyError as failure:
            # Otherwise they would end and be started again for ever.
            self.supervisor.stop(failure.unready)
            raise

    def down(self) -> None:
        """Stop every process of this stack, services first; what they stored stays."""
        if not self.directory.exists():
            return
        with self._locked():
            if self.supervisor.is_running():
                names = set(self.supervisor.states())
                self.supervisor.stop(names.difference(SERVERS))
                self.supervisor.stop(names.difference({"epmd"}))
                self.supervisor.shut_down()
            end_leftovers(self.directory)
            (self.directory / "env").unlink(missing_ok=True)
            for path in self.directory.glob("*.pid"):
                path.unlink()

    def remove(self) -> None:
        """Stop everything and delete the directory with all that was stored."""
        self.down()
        self.supervisor.forget_socket()
        shutil.rmtree(self.directory, ignore_errors=True)

    def pid(self, name: str) -> int:
        """The process id of `dispatcher-2`, `rabbitmq` or `mongodb`, as of its latest start."""
        return int((self.directory / f"{name}.pid").read_text())

    def status(self) -> list[Status]:
        """Every process there should be, with whether it is ready."""
        ports = Ports(self.directory / "ports.json")
        public = tuple(f"{service.name}-" for service in self._place.services if service.public)
        lines = []
        for name, state in sorted(self.supervisor.states().items()):
            port = ports.get("public" if name.startswith(public) else name) or 0
            ready = state.running and self._check(name, port)(state)
            lines.append(Status(state, port, ready))
        return lines

    def _check(self, name: str, port: int) -> Check:
        match name:
            case "epmd":
                return lambda state: listens(state.pid, port)
            case "rabbitmq":
                return lambda _: speaks_amqp("127.0.0.1", port)
            case "mongodb":
                return lambda _: MongoDB(self.directory / "mongodb", port).is_ready()
            case "prometheus":
                return lambda _: prometheus_is_ready(port)
            case _:
                return Endpoint(port).is_ready

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else starts or stops this stack meanwhile."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        with (self.directory / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _server_checks(layout: Layout) -> dict[str, Check]:
    checks: dict[str, Check] = {}
    if layout.mongodb is not None:
        mongodb = layout.mongodb
        checks["mongodb"] = lambda _: mongodb.is_ready()
    if layout.rabbitmq is not None:
        rabbitmq = layout.rabbitmq
        checks["rabbitmq"] = lambda _: rabbitmq.is_ready()
    return checks


def _service_checks(layout: Layout) -> dict[str, Check]:
    everyone = (*((layout.sandbox,) if layout.sandbox else ()), *layout.instances)
    checks: dict[str, Check] = {instance.name: Endpoint(instance.port).is_ready for instance in everyone}
    if layout.prometheus is not None:
        port = layout.prometheus.port
        checks["prometheus"] = lambda _: prometheus_is_ready(port)
    return checks


def _access(layout: Layout) -> Access:
    return Access(
        url=f"http://127.0.0.1:{layout.http_port}",
        token=layout.token,
        page_password=layout.page_password,
        rabbitmq_url=layout.rabbitmq_url,
        mongodb_url=layout.mongodb_url,
        sandbox_url=f"http://127.0.0.1:{layout.sandbox.port}" if layout.sandbox else None,
        prometheus_url=layout.prometheus.url if layout.prometheus else None,
    )
