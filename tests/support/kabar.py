"""A complete Kabar of its own for a test: real servers, every service, the sandbox, and a client that drives them."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from typing import Any, TypeVar

import httpx
from pymongo import MongoClient
from pymongo.database import Database

from local_stack.access import Access
from local_stack.stack import Stack
from sandbox.control_client import SandboxControl

T = TypeVar("T")
WAITING = {"scheduled", "queued", "sending"}
UNLIMITED = {
    "WHATSAPP_RATE_LIMIT_PER_MINUTE": "0",
    "WHATSAPP_RATE_LIMIT_PER_HOUR": "0",
    "WHATSAPP_RATE_LIMIT_PER_DAY": "0",
}
UNSCHEDULED = {
    f"KABAR_SCHEDULE_{job}": "off"
    for job in ("SLA_MONITOR", "DUNNING", "DAILY_SUMMARY", "WEEKLY_PERFORMANCE", "PROVIDER_CHECK", "RETENTION")
}
"""No job comes between what a test tells and what it counts, whatever the time of day."""
UNPACED = {**UNLIMITED, "WHATSAPP_QUEUE_DELAY": "0"}


@dataclass
class Kabar:
    """A running stack as a portal, an operator and whoever pulls its plugs see it."""

    stack: Stack
    access: Access
    http: httpx.AsyncClient
    sandbox: SandboxControl
    database: Database[dict[str, Any]]

    async def accept(self, **body: Any) -> dict[str, Any]:
        """Post a `custom` notification (or what `type` says); answers the 202's body."""
        answer = await self.http.post("/api/notifications", json={"type": "custom", **body})
        assert answer.status_code == 202, answer.text
        accepted: dict[str, Any] = answer.json()
        return accepted

    async def deliveries(self, notification_id: str) -> list[dict[str, Any]]:
        """Every delivery of a notification, complete with attempts and timeline."""
        return [await self.get(f"/api/deliveries/{row['id']}") for row in await self._rows(notification_id)]

    async def delivery(self, notification_id: str) -> dict[str, Any]:
        """The only delivery of a notification; `{}` until it is planned."""
        found = await self.deliveries(notification_id)
        return found[0] if found else {}

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def progress(self, notification_id: str) -> Counter[str]:
        """Deliveries of a notification by status, counted in the database."""
        return await asyncio.to_thread(self._progress, notification_id)

    async def settled(self, notification_id: str, recipients: int, *, seconds: float) -> Counter[str]:
        """Wait until every delivery of a notification has ended; answers how."""

        async def ended() -> Counter[str] | None:
            counts = await self.progress(notification_id)
            return counts if sum(counts.values()) == recipients and not WAITING & set(counts) else None

        try:
            return await eventually(ended, seconds=seconds)
        except AssertionError as nothing:
            raise AssertionError(f"{nothing}: {await self.what_waits(notification_id)}") from None

    async def what_waits(self, notification_id: str | None = None) -> str:
        """The counts, the first delivery that has not ended with its attempts, and how every sender is."""
        rows = [row for row in await self.stored() if notification_id in {None, row["notification_id"]}]
        counts = Counter(row["status"] for row in rows)
        waiting = [await self.get(f"/api/deliveries/{row['_id']}") for row in rows if row["status"] in WAITING][:1]
        senders = (await self.get("/api/senders"))["items"]
        return "\n".join(pformat(part) for part in (counts, waiting, senders))

    async def resume_all(self) -> None:
        """Bring every sender back, as an operator does, and wait until every dispatcher uses it again."""
        for sender in (await self.get("/api/senders"))["items"]:
            assert (await self.http.post(f"/api/senders/{sender['id']}/resume")).status_code == 200

        async def noticed() -> bool:
            return all([await self._uses_every_sender(port) for port in self._dispatcher_ports()])

        await eventually(noticed, seconds=10)

    async def _uses_every_sender(self, port: int) -> bool:
        metrics = (await self.http.get(f"http://127.0.0.1:{port}/metrics")).text
        states = [line.rsplit(" ", 1)[1] for line in metrics.splitlines() if line.startswith("sender_available{")]
        return bool(states) and all(float(state) == 1 for state in states)

    def _dispatcher_ports(self) -> list[int]:
        return [s.port for s in self.stack.status() if s.state.name.startswith("dispatcher")]

    async def stored(self) -> list[dict[str, Any]]:
        """Every delivery document."""
        return await asyncio.to_thread(lambda: list(self.database["deliveries"].find()))

    def pid(self, name: str) -> int:
        return int((self.stack.directory / f"{name}.pid").read_text())

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        os.kill(self.pid(name), number)

    async def _rows(self, notification_id: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor = None
        while True:
            query = {"notification_id": notification_id, "limit": "200", **({"cursor": cursor} if cursor else {})}
            page = (await self.http.get("/api/deliveries", params=query)).json()
            rows += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return rows

    def _progress(self, notification_id: str) -> Counter[str]:
        counted = self.database["deliveries"].aggregate(
            [{"$match": {"notification_id": notification_id}}, {"$group": {"_id": "$status", "n": {"$sum": 1}}}]
        )
        return Counter({row["_id"]: row["n"] for row in counted})


@asynccontextmanager
async def running_kabar(directory: Path, settings: Mapping[str, str], *, watched: bool = False) -> AsyncIterator[Kabar]:
    """Start everything in `directory` and stop it again; nothing of the surroundings configures it, and no job runs by
    itself unless `settings` say when. `watched`: with Prometheus.
    """
    stack = Stack(directory, {**UNSCHEDULED, **settings}, watched=watched)
    try:
        access = await asyncio.to_thread(stack.up)
        assert access.sandbox_url is not None
        headers = {"Authorization": f"Bearer {access.token}"}
        async with (
            httpx.AsyncClient(base_url=access.url, headers=headers, timeout=60, trust_env=False) as http,
            SandboxControl(access.sandbox_url) as sandbox,
        ):
            with closing(MongoClient[dict[str, Any]](access.mongodb_url, tz_aware=True)) as client:
                yield Kabar(stack, access, http, sandbox, client.get_default_database())
    finally:
        await asyncio.to_thread(stack.remove)


async def eventually(probe: Callable[[], Awaitable[T | None]], *, seconds: float) -> T:
    """Ask until there is an answer; fails when there is none in so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = await probe()
        if found:
            return found
        assert time.monotonic() < deadline, f"nothing after {seconds:g} s"
        await asyncio.sleep(0.05)
