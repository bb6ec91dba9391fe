"""One sender takes from the head of its lanes whenever it has a free slot."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from common.contracts.documents import Circuit, DeliveryDocument
from common.mongo.gate import Granted, Limits, Wait
from common.telemetry import tracing
from common.telemetry.logs import logger
from dispatcher.application.claim_deliveries import ClaimDeliveries, Claimed
from dispatcher.application.lookout import Doorbell, Lookout
from dispatcher.application.ports import Deliveries, Gate, Gateways, Senders
from dispatcher.application.tell_end import tell_ends
from dispatcher.domain import circuit
from dispatcher.domain.lanes import in_order, lanes_served, skips_gap, waits_for_one_of
from dispatcher.domain.rounds import refused
from dispatcher.metrics import Metrics

BATCH = 50
"""Deliveries claimed together where nothing paces them."""
PROBES = 20
"""A probe is the least tried of so many: one that no provider takes would, at the head, keep every probe failing."""
MOST_REQUESTED = 75
"""Attempts that may wait for a gateway to start them; more would only grow old on the way and be revoked."""
FULL_SECONDS = 0.005
"""How soon to look again whether the gateway has started some."""
AGED_SECONDS = 1.0
"""How often to look for deliveries that age has lifted, while there are none."""
LOOK_SECONDS = 0.5
"""How often a sender with nothing to do looks by itself; usually it is woken."""
log = logger()


@dataclass
class ServeSender:
    """The claim of `next few` for one sender: look, ask the gate, claim, hand to the gateway."""

    identity: str
    limits: Limits
    ageing: timedelta
    deliveries: Deliveries
    senders: Senders
    gate: Gate
    gateways: Gateways
    claim: ClaimDeliveries
    lookout: Lookout
    metrics: Metrics
    stopping: Callable[[], bool]
    bell: Doorbell = field(default_factory=Doorbell)
    _gap_until: datetime | None = None
    _none_aged_until: datetime | None = None
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def step(self) -> bool:
        """Serve once, then wait as long as there is no reason to look again."""
        async with self._busy:
            wait = LOOK_SECONDS if self.stopping() else await self._serve()
        if wait > 0:
            await self.bell.wait(wait)
        return True

    async def idle(self) -> None:
        """Wait until what is claimed is handed over."""
        async with self._busy:
            pass

    async def _serve(self) -> float:
        """Seconds to wait before the next look; 0 when there may be more to do at once."""
        now = self.lookout.now()
        sender = self.lookout.sender(self.identity)
        if sender is None or not self.gateways.reachable:
            return LOOK_SECONDS
        probe = circuit.probe_due(sender, now)
        if not probe and not circuit.available(sender, now):
            return LOOK_SECONDS
        if self.limits.unlimited and await self.deliveries.requested(self.identity, MOST_REQUESTED) >= MOST_REQUESTED:
            return FULL_SECONDS
        provider = sender["provider"]
        heads = await self._heads(provider, PROBES if probe else 1 if self.limits.gap else BATCH)
        if probe and heads:
            heads = [min(heads, key=lambda head: head["attempts_made"])]
        if self.limits.gap and heads and heads[0]["direct"] and not skips_gap(heads[0]):
            heads = await self.deliveries.critical(self._lanes(provider), now, 1) or heads
        if heads and self._waits_for_gap(heads, now):
            return self._until_gap(now)
        if not heads:
            return LOOK_SECONDS
        return await self._take(provider, heads, probe=probe)

    async def _take(self, provider: str, heads: list[DeliveryDocument], *, probe: bool) -> float:
        heads = await self.claim.hours(heads, self.lookout.now())
        if not heads:
            return 0  # before the gate is asked: what must not go now takes no slot
        asked = tracing.now()
        granted = await self._ask_gate(heads)
        if isinstance(granted, Wait):
            await self._limited(provider, heads, granted)
            self.metrics.gate_waits.labels(self.identity, granted.window or "gap").inc()
            if granted.window is None:
                self._gap_until = self.lookout.now() + timedelta(seconds=granted.seconds)
            return granted.seconds if granted.window is None else min(granted.seconds, 1.0)
        self._gap_until = None
        self.lookout.unlimited(self.identity)
        taken = heads if granted is None else heads[: granted.count]
        if probe:
            claimed = await self._probe(provider, taken, granted, asked)
        else:
            claimed = await self._claim(provider, taken, granted, asked)
        if granted is not None and claimed.count < granted.count:
            await self.gate.give_back(self.identity, granted, unused=granted.count - claimed.count)
        return 0 if claimed.handed_over else LOOK_SECONDS

    async def _claim(
        self, provider: str, heads: list[DeliveryDocument], granted: Granted | None, asked: int
    ) -> Claimed:
        return await (
            self.claim(provider, heads, None) if granted is None else self.claim(provider, heads, granted.slot, asked)
        )

    async def _probe(
        self, provider: str, heads: list[DeliveryDocument], granted: Granted | None, asked: int
    ) -> Claimed:
        probing = await self._begin_probe(self.lookout.now())
        if probing is None:
            return Claimed(0, handed_over=False)
        claimed = await self._claim(provider, heads, granted, asked)
        if claimed.count and claimed.handed_over:
            log.info("circuit.probed", sender=self.identity)
        else:
            await self._save_circuit(circuit.not_probed(probing, self.lookout.now()))
        return claimed

    def _waits_for_gap(self, heads: Sequence[DeliveryDocument], now: datetime) -> bool:
        """Whether the gate's last word still holds, so that asking again would only cost."""
        return self._gap_until is not None and now < self._gap_until and not skips_gap(heads[0])

    def _until_gap(self, now: datetime) -> float:
        return (self._gap_until - now).total_seconds() if self._gap_until else 0.0

    async def _heads(self, provider: str, count: int) -> list[DeliveryDocument]:
        now = self.lookout.now()
        lanes = self._lanes(provider)
        heads = await self.deliveries.heads(lanes, now, count)
        spare = self.lookout.spare()
        if (self.lookout.usable() - spare - {provider}) & self.lookout.fellows(provider):
            # To what is critical a provider without a free slot is as good as out; what is not waits, so that the
            # others keep their slots for failures.
            beyond = lanes_served(provider, known=self.lookout.fellows(provider), usable=spare)
            critical = await self.deliveries.critical(beyond, now, count)
            heads = in_order([*critical, *heads], now, self.ageing, count)
        if not self.ageing or len(heads) < count or (self._none_aged_until and now < self._none_aged_until):
            return heads  # when there are fewer, everything that waits is among them
        aged: list[DeliveryDocument] = []
        for rank in (2, 3):
            aged += await self.deliveries.aged(lanes, rank, now - self.ageing, now, count)
        if not aged:
            self._none_aged_until = now + timedelta(seconds=AGED_SECONDS)
        return in_order([*heads, *aged], now, self.ageing, count)

    def _lanes(self, provider: str) -> list[str]:
        return lanes_served(provider, known=self.lookout.fellows(provider), usable=self.lookout.usable())

    async def _ask_gate(self, heads: Sequence[DeliveryDocument]) -> Granted | Wait | None:
        """What the gate says; `None` when nothing limits this sender."""
        if self.limits.unlimited:
            return None
        if skips_gap(heads[0]):
            critical = len(list(takewhile(skips_gap, heads)))
            return await self.gate.grant(self.identity, self.limits, want=critical, skip_gap=True)
        return await self.gate.grant(self.identity, self.limits, want=len(heads))

    async def _begin_probe(self, now: datetime) -> Circuit | None:
        """Half-open the circuit for one call; `None` when another dispatcher was first."""
        sender = self.lookout.sender(self.identity)
        current = (sender.get("circuit") if sender else None) or circuit.closed()
        return await self._save_circuit(circuit.probing(current, now))

    async def _save_circuit(self, changed: Circuit) -> Circuit | None:
        if not await self.senders.save_circuit(self.identity, changed):
            return None
        saved: Circuit = {**changed, "revision": changed["revision"] + 1}
        self.lookout.learn(self.identity, saved)
        return saved

    async def _limited(self, provider: str, heads: Sequence[DeliveryDocument], wait: Wait) -> None:
        """Direct sends are refused once no other sender could take them."""
        if wait.window is None:
            self.lookout.unlimited(self.identity)
            return
        self.lookout.limited(self.identity, wait.until)
        if not self.lookout.all_limited(provider):
            return
        spare = self.lookout.spare()
        direct = [head for head in heads if head["direct"] and not (skips_gap(head) and waits_for_one_of(head, spare))]
        if direct:
            changes = [(head, refused(head, sender=self.identity, window=wait.window)) for head in direct]
            now = self.lookout.now()
            tell_ends(changes, await self.deliveries.save(changes, now), now=now, metrics=self.metrics)
