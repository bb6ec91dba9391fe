"""Where names lead, asked of the system without one that hangs keeping others waiting."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

MOST_AT_ONCE = 64
"""Threads; more than there may be endpoints, and each of them waits for one name."""
REMEMBERED_SECONDS = 30.0
"""How long a name that led nowhere is not asked for again."""
Lookup = Callable[[str, int], list[str]]


def asked_of_the_system(host: str, port: int) -> list[str]:
    """Blocks for as long as the name servers take; raises `OSError`."""
    return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Names:
    """The loop's own threads are few and shared by all that resolves names: connections to MongoDB and RabbitMQ, too.

    A name is asked for once at a time; who stops waiting leaves the thread to end by itself.
    """

    def __init__(self, lookup: Lookup = asked_of_the_system) -> None:
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="names")
        self._asking: dict[tuple[str, int], asyncio.Future[list[str]]] = {}
        self._failed: dict[tuple[str, int], tuple[float, OSError]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """Raises `OSError`, also for a name that led nowhere just now."""
        name = (host, port)
        loop = asyncio.get_running_loop()
        self._failed = {one: failed for one, failed in self._failed.items() if failed[0] > loop.time()}
        if name in self._failed:
            raise self._failed[name][1]
        if name not in self._asking:
            asking = loop.run_in_executor(self._threads, self._lookup, host, port)
            self._asking[name] = asking
            asking.add_done_callback(lambda ended: self._ended(name, ended, loop.time()))
        return await asyncio.shield(self._asking[name])

    def _ended(self, name: tuple[str, int], asking: asyncio.Future[list[str]], now: float) -> None:
        del self._asking[name]
        error = None if asking.cancelled() else asking.exception()
        if isinstance(error, OSError):
            self._failed[name] = (now + REMEMBERED_SECONDS, error)
