"""The dispatcher as it runs in production: a process of its own, configured by its environment."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import orjson
import psutil
from prometheus_client.parser import text_string_to_metric_families

from local_stack.readiness import PLAIN_HTTP
from tests.support.dispatching.polling import until
from tests.support.forked import Forked

UNLIMITED = {
    "WHATSAPP_QUEUE_DELAY": "0",
    "WHATSAPP_RATE_LIMIT_PER_MINUTE": "0",
    "WHATSAPP_RATE_LIMIT_PER_HOUR": "0",
    "WHATSAPP_RATE_LIMIT_PER_DAY": "0",
}


class DispatcherProcess:
    """One `python -m dispatcher`; what it logs stands in `log`."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._child = Forked(
            "dispatcher", {**kept, "KABAR_HTTP_PORT": "0", "KABAR_LOG_LEVEL": "INFO", **environment}, log
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    @property
    def resident_bytes(self) -> int:
        return int(psutil.Process(self.pid).memory_info().rss)

    def events(self, name: str) -> list[dict[str, object]]:
        """The logged events of one name."""
        lines = self.log.read_bytes().splitlines()
        parsed = [orjson.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"}")]
        return [event for event in parsed if event.get("event") == name]

    async def ask(self, path: str) -> httpx.Response:
        """What it answers over HTTP."""
        port = self.events("process.started")[0]["port"]
        async with httpx.AsyncClient(verify=PLAIN_HTTP) as client:
            return await client.get(f"http://127.0.0.1:{port}{path}", timeout=10)

    async def readiness(self) -> int:
        return (await self.ask("/readyz")).status_code

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        text = (await self.ask("/metrics")).text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())

    async def connected(self) -> None:
        async def has_connected() -> bool:
            assert self.alive, self.log.read_text()[-3000:]
            return bool(self.events("rabbitmq.connected") and self.events("mongodb.connected"))

        await until(has_connected, seconds=30, every=0.05)

    def kill(self) -> None:
        """As a power cut would."""
        if self.alive:
            self._child.send_signal(signal.SIGKILL)
        self._child.wait()

    def stop(self, *, seconds: float = 30.0) -> tuple[int, float]:
        """SIGTERM; answers the exit status and how long it took."""
        started = time.monotonic()
        if self.alive:
            self._child.send_signal(signal.SIGTERM)
        try:
            status = self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return status, time.monotonic() - started
