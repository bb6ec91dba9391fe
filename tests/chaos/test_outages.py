"""RabbitMQ and MongoDB away for ten seconds under load: everything resumes by itself."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.chaos.test_kills import check_everything_adds_up, post_until, sent_some_more
from tests.support.kabar import UNLIMITED, Kabar, eventually, running_kabar

AWAY_SECONDS = 10
SETTINGS = {
    **UNLIMITED,
    "WHATSAPP_QUEUE_DELAY": "0.02",
    "WHATSAPP_READ_TIMEOUT": "3",
    "KABAR_UNKNOWN_WAIT_SECONDS": "2",
}


@pytest_asyncio.fixture(loop_scope="session")
async def kabar(tmp_path: Path) -> AsyncIterator[Kabar]:
    async with running_kabar(tmp_path / "run", SETTINGS) as running:
        yield running


@pytest.mark.parametrize("server", ["rabbitmq", "mongodb"])
@pytest.mark.parametrize("how", ["paused", "stopped"])
async def test_ten_seconds_without_a_server_lose_nothing(kabar: Kabar, server: str, how: str) -> None:
    enough = asyncio.Event()
    posting = asyncio.create_task(post_until(enough, kabar))
    await sent_some_more(kabar)
    if how == "paused":
        kabar.kill(server, signal.SIGSTOP)
    else:
        await asyncio.to_thread(kabar.stack.supervisor.stop, [server])
    await eventually(lambda: says_not_ready(kabar), seconds=30)
    await asyncio.sleep(AWAY_SECONDS)  # how long it is away is what this is about
    if how == "paused":
        kabar.kill(server, signal.SIGCONT)
    else:
        await asyncio.to_thread(kabar.stack.supervisor.start, [server])
    await eventually(lambda: says_ready(kabar), seconds=60)
    enough.set()
    await check_everything_adds_up(kabar, await posting)


async def says_not_ready(kabar: Kabar) -> bool:
    return await _readiness(kabar) == 503


async def says_ready(kabar: Kabar) -> bool:
    return await _readiness(kabar) == 200


async def _readiness(kabar: Kabar) -> int:
    try:
        return (await kabar.http.get("/readyz")).status_code
    except httpx.TransportError:
        return 0
