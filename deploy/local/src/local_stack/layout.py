"""Chooses where everything of a stack listens, and builds its programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from local_stack.access import CLIENT_VARIABLES
from local_stack.mongodb import MongoDB
from local_stack.plan import Instance, code_revision, for_services, instances, sandbox_settings, service_program
from local_stack.ports import Ports, free_port, is_free
from local_stack.program import Program
from local_stack.prometheus import Prometheus, find_prometheus
from local_stack.rabbitmq import RabbitMQ, RabbitMQPorts
from local_stack.readiness import listens
from local_stack.services import Service
from local_stack.settings import Settings
from local_stack.supervisor import State
from local_stack.tokens import admin_token, page_account, signing_secret

_PROMETHEUS_PORT = 9090


class PortTakenError(RuntimeError):
    """Somebody else listens on the port that was asked for; the text names it and the setting."""


@dataclass(frozen=True)
class Layout:
    """Everything that shall run, with its addresses. A server that is not ours is None here."""

    rabbitmq: RabbitMQ | None
    mongodb: MongoDB | None
    prometheus: Prometheus | None
    rabbitmq_url: str
    mongodb_url: str
    http_port: int
    token: str
    page_password: str | None
    sandbox: Instance | None
    instances: tuple[Instance, ...]
    server_programs: tuple[Program, ...]
    service_programs: tuple[Program, ...]

    @property
    def programs(self) -> tuple[Program, ...]:
        watching = (self.prometheus.program(),) if self.prometheus else ()
        return self.server_programs + self.service_programs + watching


@dataclass(frozen=True)
class Surroundings:
    """Where a stack lives and what it may start. `watched`: Prometheus, too, where it is installed."""

    run: Path
    tree: Path
    services: tuple[Service, ...]
    sandbox: Service
    preferred_port: int | None
    watched: bool = False


def lay_out(place: Surroundings, settings: Settings, ports: Ports, states: Mapping[str, State]) -> Layout:
    """Decide on ports and programs; what runs already keeps its port.

    Raises PortTakenError when KABAR_HTTP_PORT names a port that somebody else uses.
    """
    found = find_prometheus() if place.watched else None
    rabbitmq = None if settings.rabbitmq_url else _rabbitmq(place.run, ports, states, watched=found is not None)
    mongodb = None if settings.mongodb_url else _mongodb(place.run, ports, states)
    rabbitmq_url = settings.rabbitmq_url or (rabbitmq.url if rabbitmq else "")
    mongodb_url = settings.mongodb_url or (mongodb.url if mongodb else "")
    secret = settings.values.get("KABAR_JWT_SECRET") or signing_secret(place.run / "secrets.json")
    values = {
        **for_services(settings.values),
        "RABBITMQ_URL": rabbitmq_url,
        "MONGODB_URL": mongodb_url,
        "KABAR_JWT_SECRET": secret,
    }
    password = None
    if "KABAR_ADMIN_ACCOUNTS" not in values:
        password, values["KABAR_ADMIN_ACCOUNTS"] = page_account(place.run / "secrets.json")
    sandbox = None
    if settings.sandbox:
        sandbox = Instance(place.sandbox, 1, _keep(f"{place.sandbox.name}-1", ports, states))
        started = states.get(sandbox.name)
        mail_port = ports.keep("sandbox-mail", running=started is not None and started.running)
        values = {**values, **sandbox_settings(settings.values, sandbox.port, mail_port)}
    http_port = ports.put("public", _public_port(place, settings, ports, states))
    processes = tuple(
        Instance(service, number, http_port if service.public else _keep(f"{service.name}-{number}", ports, states))
        for service, number in instances(settings, place.services)
    )
    code = code_revision(place.tree)
    prometheus = None
    if found:
        usual = None if place.preferred_port is None else _PROMETHEUS_PORT
        prometheus = _prometheus(found, _keep("prometheus", ports, states, preferred=usual), place, processes, rabbitmq)
    return Layout(
        rabbitmq=rabbitmq,
        mongodb=mongodb,
        prometheus=prometheus,
        rabbitmq_url=rabbitmq_url,
        mongodb_url=mongodb_url,
        http_port=http_port,
        token=admin_token(secret, settings.values),
        page_password=password,
        sandbox=sandbox,
        instances=processes,
        server_programs=(
            *(rabbitmq.programs() if rabbitmq else ()),
            *((mongodb.program(),) if mongodb else ()),
        ),
        service_programs=tuple(
            service_program(instance, values, tree=place.tree, code=code)
            for instance in (*((sandbox,) if sandbox else ()), *processes)
        ),
    )


def without_own_servers(values: Mapping[str, str], run: Path, ports: Ports) -> dict[str, str]:
    """The settings without what a shell has that read this very stack's `env` file.

    Its servers must not look like somebody else's, and what is meant for clients configures no service.
    """
    own: dict[str, str] = {}
    if (port := ports.get("rabbitmq")) is not None:
        own["RABBITMQ_URL"] = RabbitMQ(run, RabbitMQPorts(port, 0, 0)).url
    if (port := ports.get("mongodb")) is not None:
        own["MONGODB_URL"] = MongoDB(run, port).url
    return {name: value for name, value in values.items() if own.get(name) != value and name not in CLIENT_VARIABLES}


def _keep(
    name: str,
    ports: Ports,
    states: Mapping[str, State],
    owner: str | None = None,
    preferred: int | None = None,
) -> int:
    state = states.get(owner or name)
    return ports.keep(name, running=state is not None and state.running, preferred=preferred)


def _prometheus(
    executable: str, port: int, place: Surroundings, processes: tuple[Instance, ...], rabbitmq: RabbitMQ | None
) -> Prometheus:
    return Prometheus(
        executable=executable,
        directory=place.run / "prometheus",
        port=port,
        # Processes that share a port are one to look at.
        services={
            service.name: sorted({process.port for process in processes if process.service == service})
            for service in place.services
        },
        rabbitmq_metrics=rabbitmq.ports.metrics if rabbitmq else None,
        rules=str(place.tree / "deploy" / "prometheus" / "rules" / "*.yml"),
    )


def _rabbitmq(run: Path, ports: Ports, states: Mapping[str, State], *, watched: bool) -> RabbitMQ:
    numbers = RabbitMQPorts(
        amqp=_keep("rabbitmq", ports, states),
        distribution=_keep("rabbitmq-distribution", ports, states, owner="rabbitmq"),
        port_mapper=_keep("epmd", ports, states),
        metrics=_keep("rabbitmq-metrics", ports, states, owner="rabbitmq") if watched else None,
    )
    return RabbitMQ(run / "rabbitmq", numbers)


def _mongodb(run: Path, ports: Ports, states: Mapping[str, State]) -> MongoDB:
    return MongoDB(run / "mongodb", _keep("mongodb", ports, states))


def _public_port(place: Surroundings, settings: Settings, ports: Ports, states: Mapping[str, State]) -> int:
    names = tuple(f"{service.name}-" for service in place.services if service.public)
    ours = [state.pid for name, state in states.items() if state.running and name.startswith(names)]
    if settings.http_port is not None:
        wanted = settings.http_port
        if not is_free(wanted) and not any(listens(pid, wanted) for pid in ours):
            raise PortTakenError(
                f"port {wanted} (KABAR_HTTP_PORT) is taken by {_listener(wanted)}: stop that program, or choose "
                f"another port, for example KABAR_HTTP_PORT={free_port()}"
            )
        return wanted
    known = ports.get("http")
    if known is not None and any(listens(pid, known) for pid in ours):
        return known
    if place.preferred_port is not None and is_free(place.preferred_port):
        return ports.put("http", place.preferred_port)
    return ports.keep("http")


def _listener(port: int) -> str:
    """Who listens there, as far as we may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return "another program"
    return "another program"
