"""How long the queue is and who serves it, known without asking for each request."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api_gateway.application.ports import Queue, Senders, Waiting
from api_gateway.domain.estimate import Pace, finish
from api_gateway.domain.refusals import Code, Conflicting
from common.contracts.documents import GATEWAY_SILENT_SECONDS, SenderDocument
from common.contracts.vocabulary import Channel, CircuitState, Priority, providers_of
from common.kernel.clock import Clock
from common.kernel.phone import mask_in_text
from common.mongo.gate import Limits, usage
from common.mongo.sender_limits import LimitsOf

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


def why_not(sender: SenderDocument, now: datetime) -> str | None:
    """Why a sender would not take a message now, were it the only one; `None` when it would, if only as a probe."""
    if sender.get("paused"):
        return f"paused by {sender.get('paused_by', 'an operator')}"
    circuit = sender.get("circuit")
    out = why_out(sender, now)
    if out is None or circuit is None or now - sender["gateway_seen_at"] > timedelta(seconds=GATEWAY_SILENT_SECONDS):
        return out
    return None if circuit["retry_at"] is not None and circuit["retry_at"] <= now else out


def next_free(sender: SenderDocument, limits: Limits, now: datetime) -> datetime:
    """When none of a sender's windows is full any more."""
    full = [one.reset_at for one in usage(sender.get("gate", {}), limits, now) if one.reset_at is not None]
    return max([now, *full])


@dataclass
class Capacity:
    """A picture of queue and senders, refreshed in the background; what was accepted since is added to it."""

    queue: Queue
    senders: Senders
    clock: Clock
    limits: LimitsOf
    _waiting: list[Waiting] = field(default_factory=list)
    mail_is_on: bool = True
    _unplanned: Counter[tuple[str, int]] = field(default_factory=Counter)
    _since: Counter[tuple[str, int]] = field(default_factory=Counter)
    _available: Counter[str] = field(default_factory=Counter)
    _free_at: dict[str, datetime] = field(default_factory=dict)
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
        self._free_at = self._next_free(available)
        took = time.monotonic() - now
        self._not_before = time.monotonic() + took / LARGEST_SHARE

    def note(self, priority: Priority, deliveries: Mapping[Channel, int]) -> None:
        """Somebody was accepted since the last count."""
        for channel, count in deliveries.items():
            self._since[channel, priority.rank] += count

    def finish(
        self,
        whatsapp: Sequence[str],
        priority: Priority,
        deliveries: Mapping[Channel, int],
        *,
        send_at: datetime | None,
    ) -> datetime | None:
        """When the last of so many more deliveries is made by each channel; `None` while one of them has no provider
        that is available. What goes by a channel that is switched off ends at once and is waited for by nobody.
        """
        going = [channel for channel in deliveries if channel is not Channel.EMAIL or self.mail_is_on]
        ends = [
            self._finish(channel, providers_of(channel, whatsapp), priority, deliveries[channel], send_at=send_at)
            for channel in going
        ]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None

    def _finish(
        self, channel: Channel, providers: Sequence[str], priority: Priority, own: int, *, send_at: datetime | None
    ) -> datetime | None:
        provider = next((name for name in providers if self._available[name]), None)
        if provider is None:
            return None
        limits = self.limits(provider)
        gap = 0 if priority is Priority.CRITICAL else limits.gap
        return finish(
            now=max(self.clock.now(), self._free_at[provider]),
            send_at=send_at,
            ahead=self._ahead(channel, provider, priority.rank),
            own=own,
            senders=self._available[provider],
            pace=Pace(gap, limits.per_minute, limits.per_hour, limits.per_day),
        )

    def through(
        self, whatsapp: Sequence[str], priority: Priority, channels: Iterable[Channel], *, send_at: datetime | None
    ) -> datetime | None:
        """When all that waits now with this priority or a higher one is sent; `None` while nobody sends it."""
        return self.finish(whatsapp, priority, dict.fromkeys(channels, 0), send_at=send_at)

    async def demand_sender(self, providers: Sequence[str]) -> None:
        """Raise `Conflicting`, saying why of each, when none of these providers' senders would take a message now."""
        now = self.clock.now()
        senders = [sender for sender in await self.senders.all() if sender["provider"] in providers]
        reasons = [f"{sender['_id']} is out: {why}" for sender in senders if (why := why_not(sender, now)) is not None]
        if len(reasons) == len(senders):
            known = "; ".join(reasons) or "there is none"
            raise Conflicting(
                Code.NO_SENDER,
                f"no sender of {', '.join(providers)} can take a direct send now ({mask_in_text(known)}); nothing was "
                "stored; send it without direct to have it wait for one",
            )

    def _next_free(self, available: Sequence[SenderDocument]) -> dict[str, datetime]:
        """Of each provider the sender that is free first."""
        now = self.clock.now()
        free_at: dict[str, datetime] = {}
        for sender in available:
            free = next_free(sender, self.limits(sender["provider"]), now)
            free_at[sender["provider"]] = min(free, free_at.get(sender["provider"], free))
        return free_at

    def _ahead(self, channel: Channel, provider: str, rank: int) -> int:
        queued = sum(one.count for one in self._waiting if one.rank <= rank and provider in one.lane.split(","))
        return queued + sum(
            count for (by, at), count in (self._unplanned + self._since).items() if by == channel and at <= rank
        )
