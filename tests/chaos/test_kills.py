"""kill -9 of every service in turn while messages flow: nothing lost, nothing doubled unknowingly."""

import asyncio
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

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


@pytest.mark.parametrize("policy", ["resend", "hold"])
async def test_killing_every_service_in_turn_loses_nothing_and_doubles_nothing_unmarked(
    tmp_path: Path, policy: str
) -> None:
    async with running_kabar(tmp_path / "run", SETTINGS) as kabar:
        # Some answers are under way whenever something dies.
        await kabar.sandbox.answer_late("fonnte", seconds=0.05, share=0.5, seed=7)
        enough = asyncio.Event()
        posting = asyncio.create_task(post_until(enough, kabar, on_unknown=policy))
        in_flight: set[str] = set()
        for name in SERVICES:
            before = kabar.pid(name)
            await sent_some_more(kabar)
            kabar.kill(name)
            if name.startswith("gateway"):
                in_flight |= {row["recipient"] for row in await kabar.stored() if is_called(row)}
            await eventually(lambda name=name, before=before: restarted(kabar, name, before), seconds=2)  # type: ignore[misc]
        enough.set()
        twice = await check_everything_adds_up(kabar, await posting)
        assert twice <= (in_flight if policy == "resend" else set())


def is_called(row: dict[str, Any]) -> bool:
    """Whether a gateway may have been calling for this delivery at this moment."""
    return row["attempt"] is not None and row["attempt"]["state"] == "started"


async def post_until(enough: asyncio.Event, kabar: Kabar, *, on_unknown: str = "resend") -> int:
    """Post messages, 1,000 at least, until there are enough; like a careful client: the same key again until there is
    an answer. Answers how many were accepted.
    """
    accepted = 0
    for first in count(0, BATCH):
        if enough.is_set() and accepted >= MESSAGES:
            break
        body = {
            "type": "custom",
            "on_unknown": on_unknown,
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
        await asyncio.sleep(0.4)  # as fast as they are sent: the load outlasts the kills and leaves no long queue
    return accepted


async def check_everything_adds_up(kabar: Kabar, accepted: int) -> set[str]:
    """Accepted = sum of states; what the provider has twice is marked, what it has not is not called sent.

    Answers the recipients who have it twice.
    """

    async def ended() -> list[dict[str, Any]] | None:
        rows = await kabar.stored()
        return rows if len(rows) == accepted and not [r for r in rows if r["status"] in WAITING] else None

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
    return {recipient for recipient, copies in at_providers.items() if copies > 1}


async def sent_some_more(kabar: Kabar, more: int = 25) -> None:
    counts = await kabar.sandbox.counts()
    goal = _accepted(counts) + more

    async def reached() -> bool:
        return _accepted(await kabar.sandbox.counts()) >= goal

    try:
        await eventually(reached, seconds=30)
    except AssertionError as nothing:
        raise AssertionError(f"{nothing}: {await kabar.what_waits()}") from None


def _accepted(counts: dict[str, Any]) -> int:
    return sum(counts["accepted"].values())


async def restarted(kabar: Kabar, name: str, before: int) -> bool:
    try:
        return kabar.pid(name) != before
    except (FileNotFoundError, ValueError):
        return False


def number(n: int) -> str:
    return f"62812{20_000_000 + n}"
