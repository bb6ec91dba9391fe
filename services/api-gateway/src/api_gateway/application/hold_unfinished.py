"""After a backup was restored: hold what it shows as not over, as it may have been sent since the backup was made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from api_gateway.domain.refusals import Code, Conflicting
from common.kernel.clock import Clock

MOST_AT_ONCE = 10_000
"""Deliveries in one call, which has to be answered in time."""


@dataclass(frozen=True)
class Held:
    """What one call ended or took back; there may be `more` deliveries than are held by one."""

    deliveries: int
    notifications: int
    runs: int
    requests: int
    more: bool


class Restored(Protocol):
    """The database as a backup left it."""

    async def running(self, now: datetime) -> list[str]:
        """Gateways' senders and schedulers that were seen just now."""
        ...

    async def end_sessions(self) -> None:
        """Let everybody sign in at the admin page anew: who signed out since the backup would be in again."""
        ...

    async def hold_notifications(self, now: datetime) -> int:
        """Have what is not planned of them held once it is; how many they are."""
        ...

    async def hold_deliveries(self, now: datetime, limit: int) -> int:
        """End some that are not over, but for those whose time is still to come, as unknown; how many were."""
        ...

    async def forget_firings(self, now: datetime) -> tuple[int, int]:
        """Have nothing made up for that jobs had to do until now; how many runs and requests that takes back."""
        ...


@dataclass(frozen=True)
class HoldUnfinished:
    """Doing it again changes nothing, and goes on where it stopped."""

    restored: Restored
    clock: Clock

    async def __call__(self) -> Held:
        """Raises `Conflicting` while anybody could be sending."""
        now = self.clock.now()
        if running := await self.restored.running(now):
            raise Conflicting(
                Code.CONFLICT, f"stop dispatchers, schedulers and gateways first; seen just now: {', '.join(running)}"
            )
        await self.restored.end_sessions()
        runs, requests = await self.restored.forget_firings(now)
        notifications = await self.restored.hold_notifications(now)
        deliveries = await self.restored.hold_deliveries(now, MOST_AT_ONCE)
        return Held(deliveries, notifications, runs, requests, more=deliveries >= MOST_AT_ONCE)
