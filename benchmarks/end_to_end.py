"""Messages a second from the API to the provider, logged, beside the same job on Celery 5.

Both run on one machine in one run: the same RabbitMQ, the same MongoDB (majority writes), the same simulated provider
answering at once, httpx on both sides. A burst of messages is handed over; the clock runs from the first hand-over to
the last message logged as sent. Celery gets its best of several pool sizes.

    python -m benchmarks.end_to_end --messages 5000
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient

from local_stack.access import Access
from local_stack.stack import Stack

ITEMS_A_CALL = 2_500
PATIENCE_SECONDS = 240
UNPACED = {
    "WHATSAPP_QUEUE_DELAY": "0",
    "WHATSAPP_RATE_LIMIT_PER_MINUTE": "0",
    "WHATSAPP_RATE_LIMIT_PER_HOUR": "0",
    "WHATSAPP_RATE_LIMIT_PER_DAY": "0",
    "KABAR_LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True)
class Figures:
    """One contender's result; latencies from accepted to sent, in seconds, within the burst."""

    name: str
    messages: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=5_000)
    arguments.add_argument("--pools", default="2,4,8", help="Celery pool sizes to try")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="kabar-bench-") as directory:
        stack = Stack(Path(directory), UNPACED, preferred_port=None)
        try:
            access = stack.up()
            kabar = asyncio.run(run_kabar(access, chosen.messages))
            idle = asyncio.run(run_idle(access))
            services = [name for name in stack.supervisor.states() if name not in {"rabbitmq", "mongodb", "epmd"}]
            stack.supervisor.stop([name for name in services if not name.startswith("sandbox")])
            peers = [run_celery(access, chosen.messages, int(pool)) for pool in chosen.pools.split(",")]
        finally:
            stack.remove()
    peer = max(peers, key=lambda figures: figures.rate)
    for figures in (kabar, *peers):
        print(
            f"{figures.name:24} {figures.rate:8.0f} messages/s   "
            f"accepted to sent p50 {figures.p50:6.2f} s  p99 {figures.p99:6.2f} s"
        )
    print(f"{'Kabar, one at a time':24} {'':19}   accepted to sent p50 {idle.p50:6.3f} s  p99 {idle.p99:6.3f} s")
    print(f"ratio to {peer.name}: {kabar.rate / peer.rate:.2f}")


async def run_kabar(access: Access, messages: int) -> Figures:
    """Hand the burst over in bulk calls, wait until every delivery is logged as sent."""
    log = database(access)["deliveries"]
    async with httpx.AsyncClient(base_url=access.url, headers=authorization(access), timeout=60) as client:
        await (await client.post("/api/notifications", json=bulk(0, 20))).aread()  # warm up every connection
        wait_for(lambda: log.count_documents({"status": "sent"}) >= 20)
        started = time.time()
        for first in range(20, messages + 20, ITEMS_A_CALL):
            count = min(ITEMS_A_CALL, messages + 20 - first)
            answer = await client.post("/api/notifications", json=bulk(first, count))
            answer.raise_for_status()
    wait_for(lambda: log.count_documents({"status": "sent"}) >= messages + 20)
    rows = list(log.find({"status": "sent"}, {"accepted_at": 1, "sent_at": 1}).sort("_id", 1))[20:]
    return figures_of("Kabar", rows, started)


async def run_idle(access: Access, messages: int = 100) -> Figures:
    """One message at a time on an idle system: what a person waits for."""
    log = database(access)["deliveries"]
    started = time.time()
    identities = []
    async with httpx.AsyncClient(base_url=access.url, headers=authorization(access), timeout=60) as client:
        for number in range(messages):
            body = {"type": "custom", "to": f"62812{90000000 + number}", "message": f"one at a time {number}"}
            answer = await client.post("/api/notifications", json=body)
            identities.append(answer.json()["notification_id"])
            wait_for(partial(is_sent, log, identities[-1]))
    rows = list(log.find({"notification_id": {"$in": identities}}, {"accepted_at": 1, "sent_at": 1}))
    return figures_of("Kabar, one at a time", rows, started)


def is_sent(log: Any, notification_id: str) -> bool:
    """Whether the only delivery of a notification is logged as sent."""
    return bool(log.count_documents({"notification_id": notification_id, "status": "sent"}))


def run_celery(access: Access, messages: int, pool: int) -> Figures:
    """Hand the same burst to Celery workers, wait until every task is logged."""
    log = database(access)["peer_log"]
    log.drop()
    environment = {
        **os.environ,
        **access.environment(),
        "FONNTE_API_URL": f"{access.sandbox_url}/fonnte/send",
        "FONNTE_API_TOKEN": "sandbox-fonnte-token",
    }
    os.environ.update({name: environment[name] for name in ("RABBITMQ_URL", "MONGODB_URL")})
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.celery_tasks", "worker", "-c", str(pool),
               "-l", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]  # fmt: skip
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        from benchmarks.celery_tasks import send  # noqa: PLC0415 - it reads the broker's address when imported

        for number in range(20):
            send.delay(recipient(number), text(number), time.time())
        wait_for(lambda: log.count_documents({}) >= 20)
        started = time.time()
        for number in range(20, messages + 20):
            send.delay(recipient(number), text(number), time.time())
        wait_for(lambda: log.count_documents({}) >= messages + 20)
        rows = list(log.find({}, {"accepted_at": 1, "sent_at": 1}).sort("accepted_at", 1))[20:]
    finally:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:
            worker.kill()
    return figures_of(f"Celery 5, pool of {pool}", rows, started)


def figures_of(name: str, rows: list[dict[str, Any]], started: float) -> Figures:
    ended = max(seconds(row["sent_at"]) for row in rows)
    waits = sorted(seconds(row["sent_at"]) - seconds(row["accepted_at"]) for row in rows)
    return Figures(
        name, len(rows), ended - started, waits[len(waits) // 2], waits[min(int(len(waits) * 0.99), len(waits) - 1)]
    )


def seconds(moment: datetime) -> float:
    return moment.timestamp()


def recipient(number: int) -> str:
    return f"62812{10000000 + number}"


def text(number: int) -> str:
    return f"Halo pelanggan {number}, layanan internet Anda sudah aktif kembali. Terima kasih."


def bulk(first: int, count: int) -> dict[str, Any]:
    items = [{"to": recipient(number), "message": text(number)} for number in range(first, first + count)]
    return {"type": "custom", "items": items, "force": True}


def authorization(access: Access) -> dict[str, str]:
    return {"Authorization": f"Bearer {access.token}"}


def database(access: Access) -> Any:
    return MongoClient(access.mongodb_url, tz_aware=True).get_default_database()


def wait_for(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise SystemExit(f"not finished after {PATIENCE_SECONDS} s")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
