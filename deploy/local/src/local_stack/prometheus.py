"""A private Prometheus that reads the metrics of everything here and judges them by the rules of deploy/prometheus."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local_stack.program import Program, bare_environment, write_private

INSTALL = "apt-get install --no-install-recommends prometheus"
_QUEUES = {"vhost": ["/"], "family": ["queue_coarse_metrics", "queue_consumer_count"]}


def find_prometheus() -> str | None:
    """Its program; `None` where it is not installed."""
    return shutil.which("prometheus")


@dataclass(frozen=True)
class Prometheus:
    """One server on 127.0.0.1 with everything it owns below `directory`.

    `services` are the ports by service, `rabbitmq_metrics` the port of RabbitMQ's where it is ours; `rules` says where
    the rules are.
    """

    executable: str
    directory: Path
    port: int
    services: Mapping[str, Sequence[int]]
    rabbitmq_metrics: int | None
    rules: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._file, self._text())

    def program(self) -> Program:
        command = (
            *(self.executable, f"--config.file={self._file}", f"--storage.tsdb.path={self.directory / 'data'}"),
            *(f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"),
            "--enable-feature=exemplar-storage",
        )
        return Program(
            name="prometheus",
            command=command,
            environment=bare_environment(),
            directory=self.directory,
            stop_seconds=30,
            revision=hashlib.sha256(self._text().encode()).hexdigest(),
        )

    @property
    def _file(self) -> Path:
        return self.directory / "prometheus.yml"

    def _text(self) -> str:
        return json.dumps(self.configuration(), indent=2) + "\n"  # which is YAML, too

    def configuration(self) -> dict[str, Any]:
        """What deploy/prometheus/prometheus.yml is to the compose file."""
        jobs = [_job(name, ports) for name, ports in self.services.items() if ports]
        jobs.append(_job("prometheus", [self.port]))
        if self.rabbitmq_metrics is not None:
            jobs.append(_job("rabbitmq", [self.rabbitmq_metrics]))
            queues = {"job_name": "rabbitmq-queues", "metrics_path": "/metrics/detailed", "params": _QUEUES}
            jobs.append({**_job("rabbitmq", [self.rabbitmq_metrics]), **queues})
        every = {"scrape_interval": "5s", "evaluation_interval": "5s"}
        return {"global": every, "rule_files": [self.rules], "scrape_configs": jobs}


def is_ready(port: int) -> bool:
    """Whether the Prometheus there answers queries."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _job(service: str, ports: Sequence[int]) -> dict[str, Any]:
    """`honor_labels`: `job` is a label of our own."""
    targets = [f"127.0.0.1:{port}" for port in ports]
    return {
        "job_name": service,
        "honor_labels": True,
        "static_configs": [{"targets": targets, "labels": {"service": service}}],
    }
