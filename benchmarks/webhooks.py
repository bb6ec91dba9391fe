"""Seconds until a webhook is answered: 600 a second, posted evenly, beside 200 messages sent a second.

Kabar checks the address, hands each on through RabbitMQ and applies it to its delivery meanwhile. The peer is a FastAPI
endpoint on the same RabbitMQ that publishes each body and does nothing with it; the same bodies are posted to it in the
same way, beside the same sending.

    python -m benchmarks.webhooks
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from benchmarks.figures import Figure, compare
from local_stack.ports import free_port
from local_stack.webhooks import webhook_addresses
from tests.support.kabar import UNPACED, Kabar, eventually, running_kabar
from tests.support.load.webhooks import MESSAGES, POSTED_A_SECOND, SENT_A_SECOND, posted, reports, sent


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="kabar-bench-") as directory:
        kabar, peer = asyncio.run(run(Path(directory)))
    what = f"{POSTED_A_SECOND} webhooks a second beside sending {SENT_A_SECOND}"
    for name, share in (("median", 0.5), ("99th percentile", 0.99)):
        ours, theirs = (took[int(len(took) * share)] for took in (kabar, peer))
        peer_is = "FastAPI, publishing with a confirm"
        compare(f"{what}: {name}", Figure("Kabar", ours, "s"), Figure(peer_is, theirs, "s"))


async def run(directory: Path) -> tuple[list[float], list[float]]:
    """The seconds of each webhook, in their order, of both."""
    async with running_kabar(directory / "run", {**UNPACED, "KABAR_LOG_LEVEL": "WARNING"}) as kabar:
        await sent(kabar, first=0)
        bodies = await reports(kabar)
        ours = await beside_sending(kabar, webhook_addresses(kabar.access, None)["fonnte"], bodies, first=MESSAGES)

        async def all_read() -> bool:
            return kabar.database["deliveries"].count_documents({"status": "read"}) == MESSAGES

        await eventually(all_read, seconds=120)
        async with peer(kabar) as address:
            return ours, await beside_sending(kabar, address, bodies, first=2 * MESSAGES)


async def beside_sending(kabar: Kabar, address: str, bodies: list[dict[str, str]], *, first: int) -> list[float]:
    async with asyncio.TaskGroup() as group:
        group.create_task(sent(kabar, first=first))
        posting = group.create_task(posted(address, bodies))
    return sorted(posting.result())


@asynccontextmanager
async def peer(kabar: Kabar) -> AsyncIterator[str]:
    """Where to post to, while it runs."""
    port = free_port(frozenset())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "benchmarks.webhook_peer:app", "--port", str(port), "--log-level", "warning",
        "--no-access-log", env={**os.environ, "RABBITMQ_URL": kabar.access.rabbitmq_url},
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(trust_env=False) as client:

            async def answers() -> bool:
                try:
                    return (await client.get(f"http://127.0.0.1:{port}/livez")).is_success
                except httpx.TransportError:
                    return False

            await eventually(answers, seconds=30)
        yield f"http://127.0.0.1:{port}/webhooks"
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    main()
