"""What Prometheus is told."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from common.contracts.vocabulary import RunStatus


class Metrics:
    """Dry runs are not counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._runs = Counter("job_runs", "Runs of jobs that ended.", ["job", "outcome"], registry=registry)
        self._success = Gauge(
            "job_last_success_timestamp_seconds",
            "When a job last ended well for its own day; before that, when it was first known.",
            ["job"],
            registry=registry,
        )
        self._due = Gauge(
            "job_due_timestamp_seconds",
            "When a job was or is due first after that; long past, it is missed.",
            ["job"],
            registry=registry,
        )
        self._running = Gauge("job_running", "1 while a run of a job is under way.", ["job"], registry=registry)
        self.space_used = Gauge(
            "mongodb_filesystem_used_bytes", "Of the file system MongoDB's data are on.", registry=registry
        )
        self.space = Gauge(
            "mongodb_filesystem_size_bytes", "Of the file system MongoDB's data are on.", registry=registry
        )
        self._alerts = Gauge("alert_active", "1 while something is wrong, by its cause.", ["cause"], registry=registry)
        self._untold = Gauge("alert_untold", "Alerts that people are still to be told of.", registry=registry)

    def known(self, job: str) -> None:
        """Have every outcome of a job there from the start: what is not there cannot rise."""
        for outcome in (RunStatus.DONE, RunStatus.FAILED, RunStatus.MISSED):
            self._runs.labels(job, outcome)

    def ended(self, job: str, outcome: RunStatus, runs: int = 1) -> None:
        self._runs.labels(job, outcome).inc(runs)

    def expected(self, job: str, *, succeeded: datetime, due: datetime | None, running: bool) -> None:
        """When it last ended well, when it is due after that, whether somebody is at it."""
        self._success.labels(job).set(succeeded.timestamp())
        if due is not None:
            self._due.labels(job).set(due.timestamp())
        self._running.labels(job).set(running)

    def alerts(self, active: Sequence[str], *, untold: int) -> None:
        self._alerts.clear()
        for cause in active:
            self._alerts.labels(cause).set(1)
        self._untold.set(untold)
