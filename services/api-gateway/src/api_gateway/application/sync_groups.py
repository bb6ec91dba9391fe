"""Have providers asked for the groups their devices are in, and wait for what they find."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from api_gateway.application.ports import AuditLog
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Conflicting, Limited
from common.contracts.documents import GATEWAY_SILENT_SECONDS, SenderDocument
from common.kernel.clock import Clock

AT_MOST_EVERY = timedelta(minutes=10)
"""Asked more often, a number may be banned."""
PATIENCE = timedelta(seconds=20)
AGAIN_IF_NOT_ASKED = PATIENCE + timedelta(seconds=10)
"""A provider that was not asked by then is not asked any more: its gateway died, or the broker was away."""
LOOK_SECONDS = 0.25
ASKED = "asked"


@dataclass(frozen=True)
class Lookup:
    """What came of asking for one sender's groups: `asked`, `done` or `failed`."""

    sender: str
    state: str
    found: int
    error: str | None


class Lookups(Protocol):
    async def begin(self, sender: str, now: datetime) -> datetime | None:
        """Note that a sender is to be asked, unless it was too lately or is about to be; then when it may be again."""
        ...

    async def of(self, senders: Sequence[str]) -> list[Lookup]: ...


class Senders(Protocol):
    async def all(self) -> list[SenderDocument]: ...


class Enquirers(Protocol):
    async def groups(self, provider: str, senders: Sequence[str], deadline: datetime) -> None:
        """Raises `Unavailable`."""
        ...


@dataclass(frozen=True)
class SyncGroups:
    lookups: Lookups
    enquirers: Enquirers
    senders: Senders
    audit: AuditLog
    clock: Clock
    patience: timedelta = PATIENCE

    async def __call__(self, provider: str | None, caller: Caller) -> list[Lookup]:
        """What came of it so far. Raises `Conflicting` without a sender to ask, `Limited` when all were lately."""
        async with self.audit.changing(caller, "group.sync", provider or "every provider") as noted:
            results = await self._ask(provider)
            noted.after = {"senders": {one.sender: f"{one.state}, {one.found} found" for one in results}}
        return results

    async def _ask(self, provider: str | None) -> list[Lookup]:
        now = self.clock.now()
        alive = now - timedelta(seconds=GATEWAY_SILENT_SECONDS)
        by_provider: dict[str, list[str]] = {}
        resets: list[datetime] = []
        for sender in await self.senders.all():
            if provider not in {None, sender["provider"]} or sender["gateway_seen_at"] < alive:
                continue
            reset_at = await self.lookups.begin(sender["_id"], now)
            if reset_at is None:
                by_provider.setdefault(sender["provider"], []).append(sender["_id"])
            else:
                resets.append(reset_at)
        begun = [sender for senders in by_provider.values() for sender in senders]
        if not begun:
            raise _limited(min(resets)) if resets else Conflicting(Code.NO_SENDER, "no sender is there to be asked")
        for name, senders in by_provider.items():
            await self.enquirers.groups(name, senders, now + self.patience)
        return await self._results(begun, now + self.patience)

    async def _results(self, senders: Sequence[str], deadline: datetime) -> list[Lookup]:
        while True:
            results = await self.lookups.of(senders)
            if all(one.state != ASKED for one in results) or self.clock.now() >= deadline:
                return results
            await asyncio.sleep(LOOK_SECONDS)


def _limited(reset_at: datetime) -> Limited:
    return Limited(
        Code.SYNC_LIMIT_EXCEEDED,
        "a provider is asked for its groups once in 10 minutes at most",
        details={"limit": 1, "current": 1, "reset_at": reset_at},
    )
