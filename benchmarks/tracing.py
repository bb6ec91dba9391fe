"""What recording and exporting every trace costs, from the API to the provider.

The peer is Kabar itself without a collector. Both run beside each other, each on servers of its own, and take turns:
many messages in one request (one large trace), then each in a request of its own (a trace each). Told are messages a
second, and the processor time of all processes for a message, which says the same where every core is busy and is
moved less by what else the machine does: of all turns together, as one turn differs from the next by more than what is
looked for, and between which of them the ratio of neighbours lay.

    python -m benchmarks.tracing --messages 1000 --turns 12
"""

import argparse
import asyncio
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from statistics import fmean, harmonic_mean
from typing import Any

import httpx
import psutil
from pymongo import MongoClient
from pymongo.database import Database

from benchmarks.end_to_end import PATIENCE_SECONDS, UNPACED, authorization, bulk, recipient, text
from benchmarks.figures import Figure
from benchmarks.servers import Document
from local_stack.access import Access
from local_stack.stack import Stack

AT_ONCE = 20
NUMBERS = count()
Sending = Callable[[httpx.AsyncClient, int], Awaitable[list[str]]]


@dataclass(frozen=True)
class Contender:
    stack: Stack
    access: Access
    database: Database[Document]

    def processor_seconds(self) -> float:
        """Of all its processes so far, its servers among them."""
        times = [psutil.Process(state.pid).cpu_times() for state in self.stack.supervisor.states().values()]
        return sum(one.user + one.system for one in times)


@dataclass(frozen=True)
class Turn:
    rate: float
    cost: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=1_000)
    arguments.add_argument("--turns", type=int, default=12)
    chosen = arguments.parse_args()
    with ExitStack() as all_of_it:
        collector = all_of_it.enter_context(swallowing())
        plain = all_of_it.enter_context(running({}))
        traced = all_of_it.enter_context(running({"OTEL_EXPORTER_OTLP_ENDPOINT": collector}))
        for name, send in (("in one request", in_one), ("in a request each", one_by_one)):
            taken: list[tuple[Turn, Turn]] = []
            for number in range(chosen.turns + 1):
                # Who begins alternates, or the second would always find the machine as the first left it.
                order = (plain, traced) if number % 2 else (traced, plain)
                turns = {id(one): asyncio.run(take_turn(send, one, chosen.messages)) for one in order}
                taken.append((turns[id(traced)], turns[id(plain)]))
            tell(f"{chosen.messages:,} messages {name}, {chosen.turns} turns", taken[1:])  # one to warm up


def tell(what: str, taken: Sequence[tuple[Turn, Turn]]) -> None:
    print(what)
    for unit, value in (("messages/s", rate_of), ("ms of processor time a message", cost_of)):
        with_traces, without = ([value(turn) for turn in side] for side in zip(*taken, strict=True))
        # As many messages in each turn: the mean of rates that says how long all of them took is the harmonic one.
        traced, plain = (harmonic_mean(side) if value is rate_of else fmean(side) for side in (with_traces, without))
        print(Figure("every trace exported", traced, unit))
        print(Figure("no collector", plain, unit))
        ratios = [one / other for one, other in zip(with_traces, without, strict=True)]
        print(f"  {'ratio':52} {traced / plain:>9.3f} ({min(ratios):.3f} to {max(ratios):.3f})", flush=True)


def rate_of(turn: Turn) -> float:
    return turn.rate


def cost_of(turn: Turn) -> float:
    return turn.cost


async def take_turn(send: Sending, contender: Contender, messages: int) -> Turn:
    """From the first request to the last message logged as sent."""
    access, log = contender.access, contender.database["deliveries"]
    async with httpx.AsyncClient(base_url=access.url, headers=authorization(access), timeout=60) as client:
        spent, began = contender.processor_seconds(), time.time()
        sent = {"notification_id": {"$in": await send(client, messages)}, "status": "sent"}
        while log.count_documents(sent) < messages:
            if time.time() > began + PATIENCE_SECONDS:
                raise SystemExit(f"not finished after {PATIENCE_SECONDS} s")
            await asyncio.sleep(0.2)
        spent = contender.processor_seconds() - spent
    (last,) = log.find(sent, {"sent_at": 1}).sort("sent_at", -1).limit(1)
    return Turn(messages / (last["sent_at"].timestamp() - began), 1000 * spent / messages)


async def in_one(client: httpx.AsyncClient, messages: int) -> list[str]:
    return [await accepted(client, bulk(next(NUMBERS) * messages, messages))]


async def one_by_one(client: httpx.AsyncClient, messages: int) -> list[str]:
    first, room = next(NUMBERS) * messages, asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> str:
        async with room:
            return await accepted(client, {"type": "custom", "to": recipient(number), "message": text(number)})

    return await asyncio.gather(*(one(first + number) for number in range(messages)))


async def accepted(client: httpx.AsyncClient, body: dict[str, Any]) -> str:
    answer = await client.post("/api/notifications", json=body)
    answer.raise_for_status()
    identity: str = answer.json()["notification_id"]
    return identity


@contextmanager
def running(settings: dict[str, str]) -> Iterator[Contender]:
    with tempfile.TemporaryDirectory(prefix="kabar-bench-") as directory:
        stack = Stack(Path(directory), {**UNPACED, **settings}, preferred_port=None)
        try:
            access = stack.up()
            with MongoClient[Document](access.mongodb_url, tz_aware=True) as client:
                yield Contender(stack, access, client.get_default_database())
        finally:
            stack.remove()


@contextmanager
def swallowing() -> Iterator[str]:
    """The address of a collector that costs next to nothing: usually it is another machine's."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


if __name__ == "__main__":
    main()
