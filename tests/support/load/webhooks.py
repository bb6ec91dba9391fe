"""Three times as many webhooks as messages, beside sending."""

import asyncio
import json
import time
from urllib.parse import urlsplit

from tests.support.kabar import Kabar

SENT_A_SECOND = 200
POSTED_A_SECOND = 3 * SENT_A_SECOND
MESSAGES = 2_000
AT_ONCE = 100
POSTERS = 100
PATIENCE_SECONDS = 120


async def sent(kabar: Kabar, *, first: int) -> None:
    """Have so many messages sent by Fonnte, evenly over the time."""
    began = time.perf_counter()
    accepted = []
    for number in range(0, MESSAGES, AT_ONCE):
        await asyncio.sleep(max(began + number / SENT_A_SECOND - time.perf_counter(), 0))
        to = [f"62812{40_000_000 + first + number + one}" for one in range(AT_ONCE)]
        accepted.append(await kabar.accept(to=to, message="Halo", providers=["fonnte"]))
    for one in accepted:
        await kabar.settled(one["notification_id"], AT_ONCE, seconds=PATIENCE_SECONDS)


async def reports(kabar: Kabar) -> list[dict[str, str]]:
    """What Fonnte posts of each message it took so far: sent, delivered, read."""
    ids = [message.id for message in await kabar.sandbox.accepted(provider="fonnte")]
    return [{"id": one, "status": word} for word in ("sent", "delivered", "read") for one in ids]


async def posted(address: str, bodies: list[dict[str, str]]) -> list[float]:
    """Post them evenly over the time; the seconds from when each was to be posted until it was answered with 200.

    Written to the sockets as they are: a client's own work would take as much of the machine as what is measured.
    """
    url = urlsplit(address)
    due = iter(enumerate(bodies))
    began = time.perf_counter()
    took: list[float] = []

    async def post() -> None:
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        for number, body in due:
            at = began + number / POSTED_A_SECOND
            await asyncio.sleep(max(at - time.perf_counter(), 0))
            content = json.dumps(body)
            writer.write(
                f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(content)}\r\n\r\n{content}".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            await reader.readexactly(len(b'{"status":true}'))
            took.append(time.perf_counter() - at)
        writer.close()

    await asyncio.gather(*(post() for _ in range(POSTERS)))
    return took
