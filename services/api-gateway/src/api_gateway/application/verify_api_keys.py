"""Tell who an API key belongs to, however many unknown ones come.

All keys that may be used are held in memory, as they were at most a second ago. A key that is not among them may be
new: it is looked for once more, together with all others that may be, ten times a second at most. There is one look at
a time: whoever comes meanwhile waits for it, and is told too that nobody can tell when it fails.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api_gateway.application.ports import ApiKeys
from api_gateway.domain.access import SERVICE, Caller
from api_gateway.domain.api_key import ApiKey, fits, read
from api_gateway.domain.refusals import Code, Unauthenticated
from common.kernel.clock import Clock

KNOWN_SECONDS = 0.9
"""How old what is known may be: a revoked key is used no longer than this and one look at the database take."""
LOOKS_APART_SECONDS = 0.1
USED_STEP = timedelta(minutes=10)
"""How precisely the last use of a key is told."""


@dataclass
class VerifyApiKeys:
    keys: ApiKeys
    clock: Clock
    monotonic: Callable[[], float] = time.monotonic
    looks: int = 0
    _known: Mapping[str, ApiKey] = field(default_factory=dict)
    _as_of: float = float("-inf")
    _look: asyncio.Task[None] | None = None
    _used: set[str] = field(default_factory=set)

    async def __call__(self, key: str) -> Caller:
        """Raises `Unauthenticated` when it is no valid key, and what looking raises when nobody can tell."""
        parts = read(key)
        if parts is None:
            raise _refused("the key must look like kbr_<id>_<secret>")
        identity, secret = parts
        arrived = self.monotonic()
        await self._know(arrived - KNOWN_SECONDS)
        if identity not in self._known:
            await self._know(arrived)
        found = self._known.get(identity)
        if not fits(found, secret) or found is None:
            raise _refused("the key is not valid, or it was revoked")
        if found.status(self.clock.now()) != "active":
            raise _refused("the key has expired; have a new one made")
        self._used.add(found.id)
        return Caller(found.subject, SERVICE, frozenset(found.scopes))

    def forget(self) -> None:
        """Look again before the next key is verified."""
        self._as_of = float("-inf")

    async def note_used(self) -> None:
        """Write down which keys were used; at most once in a step for each."""
        used, self._used = self._used, set()
        now = self.clock.now()
        stale = [key.id for one in used if (key := self._known.get(one)) is not None and _stale(key, now - USED_STEP)]
        if stale:
            await self.keys.note_used(stale, now)

    async def _know(self, since: float) -> None:
        """Have what is known be of this moment or later."""
        while self._as_of < since:
            if self._look is None or self._look.done():
                self._look = asyncio.create_task(self._find_usable())
                self._look.add_done_callback(_heard)
            await asyncio.shield(self._look)  # whoever gives up must not take the answer from the others

    async def _find_usable(self) -> None:
        await asyncio.sleep(max(0.0, self._as_of + LOOKS_APART_SECONDS - self.monotonic()))
        as_of = self.monotonic()
        self.looks += 1
        self._known = {key.id: key for key in await self.keys.usable(self.clock.now())}
        self._as_of = as_of


def _heard(look: asyncio.Task[None]) -> None:
    """Its failure is no news where everybody gave up waiting."""
    if not look.cancelled():
        look.exception()


def _stale(key: ApiKey, before: datetime) -> bool:
    return key.last_used_at is None or key.last_used_at < before


def _refused(error: str) -> Unauthenticated:
    return Unauthenticated(Code.UNAUTHENTICATED, error)
