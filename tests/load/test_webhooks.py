"""Three times as many webhooks as messages, beside sending: all are taken soon, and every one reaches its delivery."""

import asyncio
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

from local_stack.webhooks import webhook_addresses
from tests.support.kabar import UNPACED, Kabar, eventually, running_kabar

SENT_A_SECOND = 200
POSTED_A_SECOND = 3 * SENT_A_SECOND
MESSAGES = 2_000
AT_ONCE = 100
POSTERS = 100
SLOWEST = 1.0


async def test_600_webhooks_a_second_are_taken_beside_sending_200(tmp_path: Path) -> None:
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
    """Have so many messages sent by Fonnte, evenly over the time."""
    began = time.perf_counter()
    accepted = []
    for number in range(0, MESSAGES, AT_ONCE):
        await asyncio.sleep(max(began + number / SENT_A_SECOND - time.perf_counter(), 0))
        to = [f"62812{40_000_000 + first + number + one}" for one in range(AT_ONCE)]
        accepted.append(await kabar.accept(to=to, message="Halo", providers=["fonnte"]))
    for one in accepted:
        await kabar.settled(one["notification_id"], AT_ONCE, seconds=60)


async def posted(address: str, bodies: list[dict[str, str]]) -> list[float]:
    """Post them evenly over the time; the seconds from when each was to be posted until it was answered.

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
