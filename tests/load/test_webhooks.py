"""Three times as many webhooks as messages, beside sending: all are taken soon, and every one reaches its delivery."""

import asyncio
import time
from pathlib import Path

import httpx

from local_stack.webhooks import webhook_addresses
from tests.support.kabar import UNPACED, Kabar, eventually, running_kabar

A_SECOND = 600
MESSAGES = 2_000
"""Three webhooks for each."""
POSTERS = 100
SLOWEST = 1.0


async def test_600_webhooks_a_second_are_taken_beside_sending(tmp_path: Path) -> None:
    async with running_kabar(tmp_path / "run", UNPACED) as kabar:
        address = webhook_addresses(kabar.access, None)["fonnte"]
        await sent(kabar, first=0)
        ids = [message.id for message in await kabar.sandbox.accepted(provider="fonnte")]
        bodies = [{"id": one, "status": word} for word in ("sent", "delivered", "read") for one in ids]
        sending = asyncio.create_task(sent(kabar, first=MESSAGES))
        took = await posted(address, bodies)
        await sending
        took.sort()
        print(f"\n{len(took)} webhooks: median {took[len(took) // 2]:.3f} s, 99th {took[len(took) * 99 // 100]:.3f} s")  # noqa: T201
        assert took[len(took) * 99 // 100] < SLOWEST

        async def all_read() -> bool:
            return kabar.database["deliveries"].count_documents({"status": "read"}) == MESSAGES

        await eventually(all_read, seconds=60)
        assert not kabar.database["webhook_inbox"].count_documents({})


async def sent(kabar: Kabar, *, first: int) -> None:
    """Have so many messages sent by Fonnte."""
    numbers = [f"62812{40_000_000 + first + number}" for number in range(MESSAGES)]
    accepted = await kabar.accept(to=numbers, message="Halo", providers=["fonnte"])
    await kabar.settled(accepted["notification_id"], MESSAGES, seconds=120)


async def posted(address: str, bodies: list[dict[str, str]]) -> list[float]:
    """Post them evenly over the time; the seconds from when each was to be posted until it was answered.

    A connection for each who posts: a shared pool takes the longer the more wait for it.
    """
    due = iter(enumerate(bodies))
    began = time.perf_counter()
    took: list[float] = []

    async def post() -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            for number, body in due:
                at = began + number / A_SECOND
                await asyncio.sleep(max(at - time.perf_counter(), 0))
                answer = await client.post(address, json=body)
                assert answer.status_code == 200, answer.text
                took.append(time.perf_counter() - at)

    await asyncio.gather(*(post() for _ in range(POSTERS)))
    return took
