"""kill -9 of every service in turn while messages flow: nothing lost, nothing doubled unknowingly."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.support.kabar import UNLIMITED, WAITING, Kabar, eventually, running_kabar

MESSAGES = 1_000
BATCH = 20
SERVICES = ("api-gateway-1", "dispatcher-1", "gateway-fonnte-1", "scheduler-1", "gateway-wablas-1", "dispatcher-2")
SETTINGS = {
    **UNLIMITED,
    "WHATSAPP_QUEUE_DELAY": "0.02",
    "WHATSAPP_READ_TIMEOUT": "3",
    "KABAR_UNKNOWN_WAIT_SECONDS": "2",
    "KABAR_REPLICAS_DISPATCHER": "2",
}


async def test_killing_every_service_in_turn_loses_nothing_and_doubles_nothing_unmarked(tmp_path: Path) -> None:
    async with running_kabar(tmp_path / "run", SETTINGS) as kabar:
        # Some answers are under way whenever something dies.
        await kabar.sandbox.answer_late("fonnte", seconds=0.05, share=0.5, seed=7)
        posting = asyncio.create_task(post_all(kabar))
        for name in SERVICES:
            before = kabar.pid(name)
            await sent_some_more(kabar)
            kabar.kill(name)
            await eventually(lambda name=name, before=before: restarted(kabar, name, before), seconds=2)  # type: ignore[misc]
        accepted = await posting
        assert accepted == MESSAGES
        await check_everything_adds_up(kabar)


async def post_all(kabar: Kabar) -> int:
    """Post every message like a careful client: the same key again until there is an answer."""
    accepted = 0
    for first in range(0, MESSAGES, BATCH):
        body = {
            "type": "custom",
            "items": [{"to": number(n), "message": f"Pesan {n}"} for n in range(first, first + BATCH)],
        }

        async def post(body: dict[str, Any] = body, key: str = f"chaos-{first}") -> httpx.Response | None:
            try:
                answer = await kabar.http.post("/api/notifications", json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                return None
            return answer if answer.status_code == 202 else None

        answer = await eventually(post, seconds=75)
        accepted += int(answer.json()["deliveries"])
        await asyncio.sleep(0.2)  # the load lasts longer than the kills, it does not wait for anything
    return accepted


async def check_everything_adds_up(kabar: Kabar) -> None:
    """Accepted = sum of states; what the provider has twice is marked, what it has not is not called sent."""

    async def ended() -> list[dict[str, Any]] | None:
        rows = await kabar.stored()
        return rows if len(rows) == MESSAGES and not [r for r in rows if r["status"] in WAITING] else None

    rows = await eventually(ended, seconds=90)
    conservation = await kabar.get("/admin/conservation")
    assert conservation["difference"] == 0, conservation
    messages = await kabar.sandbox.accepted()
    at_providers = Counter(message.recipient for message in messages)
    for row in rows:
        copies = at_providers[row["recipient"]]
        marked = row["possible_duplicate"] or row["status"] == "unknown"
        assert row["status"] in {"sent", "unknown"}, row
        assert copies >= 1 or row["status"] == "unknown", row
        assert copies <= 1 or marked, row
    doubled = sum(copies > 1 for copies in at_providers.values())
    assert doubled <= 100 * SERVICES.count("gateway-fonnte-1"), "more than a gateway ever has in flight"


async def sent_some_more(kabar: Kabar, more: int = 25) -> None:
    counts = await kabar.sandbox.counts()
    goal = _accepted(counts) + more

    async def reached() -> bool:
        return _accepted(await kabar.sandbox.counts()) >= goal

    await eventually(reached, seconds=30)


def _accepted(counts: dict[str, Any]) -> int:
    return sum(counts["accepted"].values())


async def restarted(kabar: Kabar, name: str, before: int) -> bool:
    try:
        return kabar.pid(name) != before
    except (FileNotFoundError, ValueError):
        return False


def number(n: int) -> str:
    return f"62812000020{n:03}"
