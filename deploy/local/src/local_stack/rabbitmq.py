"""A private RabbitMQ: its files, its two programs (port mapper and broker) and how to tell that it answers."""

import hashlib
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from local_stack.program import Program, bare_environment, write_private

# Debian's wrapper in PATH changes the user and the folder; this is the script behind it.
_SCRIPTS = Path("/usr/lib/rabbitmq/bin")
_GREETING = b"AMQP\x00\x00\x09\x01"
_START_FRAME = b"\x01"


class NotInstalledError(RuntimeError):
    """A server's program is not on this machine."""


@dataclass(frozen=True)
class RabbitMQPorts:
    """Where the broker, its distribution protocol, its port mapper (epmd) and, if Prometheus reads them, its metrics
    listen.
    """

    amqp: int
    distribution: int
    port_mapper: int
    metrics: int | None = None


@dataclass(frozen=True)
class RabbitMQ:
    """One private node with everything it owns below `directory`, on 127.0.0.1 only."""

    directory: Path
    ports: RabbitMQPorts

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.ports.amqp}/"

    @property
    def node(self) -> str:
        """The Erlang node name, of this folder and no other."""
        return f"kabar-{hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]}@localhost"

    @property
    def control_command(self) -> str:
        """How to run rabbitmqctl against this node, for people."""
        return f"HOME={self._home} ERL_EPMD_PORT={self.ports.port_mapper} {_SCRIPTS / 'rabbitmqctl'} --node {self.node}"

    @property
    def _home(self) -> Path:
        return self.directory / "home"

    def prepare(self) -> None:
        """Write the configuration and, once, the Erlang cookie."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.directory / "conf.d").mkdir(exist_ok=True)
        cookie = self._home / ".erlang.cookie"
        if not cookie.exists():
            write_private(cookie, secrets.token_hex(20))
            cookie.chmod(0o400)
        write_private(self.directory / "environment.conf", "")
        write_private(self.directory / "plugins", "[].\n" if self.ports.metrics is None else "[rabbitmq_prometheus].\n")
        write_private(self.directory / "rabbitmq.conf", self._configuration())

    def _configuration(self) -> str:
        return "\n".join(
            [
                f"listeners.tcp.1 = 127.0.0.1:{self.ports.amqp}",
                "listeners.ssl = none",
                "num_acceptors.tcp = 4",
                # It shares the machine with everything else, so it warns before the machine is in trouble.
                "vm_memory_high_watermark.relative = 0.4",
                "disk_free_limit.absolute = 200MB",
                "log.console = true",
                "log.console.level = info",
                "log.console.use_colors = off",
                "log.file = false",
                *self._metrics(),
                "",
            ]
        )

    def _metrics(self) -> tuple[str, ...]:
        if self.ports.metrics is None:
            return ()
        return ("prometheus.tcp.ip = 127.0.0.1", f"prometheus.tcp.port = {self.ports.metrics}")

    def programs(self) -> tuple[Program, Program]:
        """The port mapper and the broker, to be started in this order."""
        mapper = Program(
            name="epmd",
            command=(_find("epmd"), "-address", "127.0.0.1", "-port", str(self.ports.port_mapper)),
            environment=bare_environment(),
            directory=self.directory,
            stop_seconds=5,
        )
        broker = Program(
            name="rabbitmq",
            command=(_find("rabbitmq-server"),),
            environment=self._environment(),
            directory=self.directory,
            stop_seconds=30,
            revision="" if self.ports.metrics is None else f"metrics on {self.ports.metrics}",
        )
        return mapper, broker

    def _environment(self) -> dict[str, str]:
        return {
            **bare_environment(),
            "HOME": str(self._home),
            "ERL_EPMD_PORT": str(self.ports.port_mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Ours is supervised; one that Erlang started by itself would outlive the broker.
            "ERL_AFLAGS": "-start_epmd false",
            # Makes the start script replace itself by the Erlang machine instead of staying as its parent.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_PORT": str(self.ports.amqp),
            "RABBITMQ_DIST_PORT": str(self.ports.distribution),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(self.directory / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.directory / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(self.directory / "environment.conf"),
            "RABBITMQ_PID_FILE": str(self.directory / "broker.pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def is_ready(self) -> bool:
        """Whether the broker opens an AMQP conversation; asking this way takes a millisecond, rabbitmqctl a second."""
        return speaks_amqp("127.0.0.1", self.ports.amqp)


def speaks_amqp(host: str, port: int, *, seconds: float = 1.0) -> bool:
    """Whether something at this address answers AMQP's greeting with its own."""
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(_GREETING)
            return connection.recv(1) == _START_FRAME
    except OSError:
        return False


def _find(program: str) -> str:
    script = _SCRIPTS / program
    found = str(script) if script.exists() else shutil.which(program, path="/usr/bin:/usr/sbin:/usr/lib/rabbitmq/bin")
    if found is None:
        raise NotInstalledError(f"{program} is not installed; `make up` installs it (Debian's package rabbitmq-server)")
    return found
