"""How long MongoDB takes, by command: what a server's own figures would be read for."""

from prometheus_client import CollectorRegistry, Counter, Histogram
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
COMMANDS = frozenset(
    {"find", "getMore", "aggregate", "distinct", "insert", "update", "delete", "findAndModify", "ping"}
)


class CommandTimes(CommandListener):
    """Counts the driver's commands; the few it makes for itself, or rarely, are `other`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        seconds = Histogram(
            "mongodb_command_duration_seconds", "Time MongoDB took to answer.", ["command"], buckets=SECONDS,
            registry=registry,
        )  # fmt: skip
        failed = Counter(
            "mongodb_command_failed_total",
            "Commands MongoDB refused or did not answer.",
            ["command"],
            registry=registry,
        )
        self._seconds = {name: seconds.labels(name) for name in (*COMMANDS, "other")}
        self._failed = {name: failed.labels(name) for name in (*COMMANDS, "other")}

    def started(self, event: CommandStartedEvent) -> None:
        """Nothing is known yet."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._seconds[_known(event.command_name)].observe(event.duration_micros / 1e6)

    def failed(self, event: CommandFailedEvent) -> None:
        name = _known(event.command_name)
        self._seconds[name].observe(event.duration_micros / 1e6)
        self._failed[name].inc()


def _known(command: str) -> str:
    return command if command in COMMANDS else "other"
