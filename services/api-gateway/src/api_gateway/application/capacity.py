"""How long the queue is and who serves it, known without asking for each request."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api_gateway.application.ports import Queue, Senders, Waiting
from api_gateway.domain.estimate import Pace, finish
from common.contracts.documents import GATEWAY_SILENT_SECONDS, SenderDocument
from common.contracts.vocabulary import CircuitState, Priority
from common.kernel.clock import Clock

LARGEST_SHARE = 0.05
"""Of the time, that counting may take however long the queue is."""


def why_out(sender: SenderDocument, now: datetime) -> str | None:
    """Why a sender takes no work; `None` when it does. A pause by a person is not among the reasons."""
    if now - sender["gateway_seen_at"] > timedelta(seconds=GATEWAY_SILENT_SECONDS):
        return "its gateway is silent"
    circuit = sender.get("circuit")
    if circuit is None or circuit["state"] == CircuitState.CLOSED:
        return None
    if circuit["state"] == CircuitState.HALF_OPEN:
        return f"being probed: {circuit['reason']}"
    return str(circuit["reason"] or "its circuit is open")


@dataclass
class Capacity:
    """A picture of queue and senders, refreshed in the background; what was accepted since is added to it."""

    queue: Queue
    senders: Senders
    clock: Clock
    pace: Pace
    _waiting: list[Waiting] = field(default_factory=list)
    _unplanned: Counter[int] = field(default_factory=Counter)
    _since: Counter[int] = field(default_factory=Counter)
    _available: Counter[str] = field(default_factory=Counter)
    _not_before: float = 0.0

    async def refresh(self) -> None:
        """Count again, at most every second and never for more than a small share of the time."""
        now = time.monotonic()
        if now < self._not_before:
            return
        since, self._since = self._since, Counter()
        try:
            available = [
                sender for sender in await self.senders.all()
                if not sender.get("paused") and why_out(sender, self.clock.now()) is None
            ]  # fmt: skip
            waiting, unplanned = await self.queue.waiting(), Counter(await self.queue.unplanned())
        except BaseException:
            self._since += since
            raise
        self._available = Counter(sender["provider"] for sender in available)
        self._waiting, self._unplanned = waiting, unplanned
        took = time.monotonic() - now
        self._not_before = time.monotonic() + took / LARGEST_SHARE

    def note(self, priority: Priority, recipients: int) -> None:
        """Somebody was accepted since the last count."""
        self._since[priority.rank] += recipients

    def finish(
        self, providers: Sequence[str], priority: Priority, recipients: int, *, send_at: datetime | None
    ) -> datetime | None:
        """When the last of so many more recipients is reached; `None` while no provider of theirs is available."""
        provider = next((name for name in providers if self._available[name]), None)
        if provider is None:
            return None
        pace = self.pace
        if priority is Priority.CRITICAL:
            pace = Pace(0, pace.per_minute, pace.per_hour, pace.per_day)
        return finish(
            now=self.clock.now(),
            send_at=send_at,
            ahead=self._ahead(provider, priority.rank),
            own=recipients,
            senders=self._available[provider],
            pace=pace,
        )

    def _ahead(self, provider: str, rank: int) -> int:
        queued = sum(one.count for one in self._waiting if one.rank <= rank and provider in one.lane.split(","))
        return queued + sum(count for at, count in (self._unplanned + self._since).items() if at <= rank)
