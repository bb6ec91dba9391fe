"""One sender takes from the head of its lanes whenever it has a free slot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.contracts.documents import DeliveryDocument, SenderDocument
from common.contracts.events import AttemptRequest, AttemptsRequested
from common.contracts.vocabulary import DeliveryStatus
from common.kernel.failures import Transient
from common.kernel.identity import new_id
from common.mongo.gate import Granted, Limits, Wait
from common.telemetry.logs import logger
from dispatcher.application.lookout import Doorbell, Lookout
from dispatcher.application.ports import Deliveries, Gate, Gateways, Senders
from dispatcher.application.recipient_caps import RecipientCaps
from dispatcher.domain import circuit
from dispatcher.domain.change import Change
from dispatcher.domain.lanes import in_order, lane, lanes_served
from dispatcher.metrics import Metrics

BATCH = 25
"""Deliveries claimed together where nothing paces them."""
MOST_BACKLOG = 4
"""Envelopes that may wait for a gateway; more would only grow old there."""
BACKLOG_SECONDS = 0.005
"""How soon to look at a full backlog again."""
REQUEST_SECONDS = 2.5
"""How long a gateway may leave an attempt untaken before it is revoked and another provider chosen."""
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
    caps: RecipientCaps
    lookout: Lookout
    metrics: Metrics
    bell: Doorbell = field(default_factory=Doorbell)
    _gap_until: datetime | None = None

    async def step(self) -> bool:
        """Serve once, then wait as long as there is no reason to look again."""
        wait = await self._serve()
        if wait > 0:
            await self.bell.wait(wait)
        return True

    async def _serve(self) -> float:
        """Seconds to wait before the next look; 0 when there may be more to do at once."""
        now = self.lookout.now()
        sender = self.lookout.sender(self.identity)
        if sender is None or not self.gateways.reachable:
            return LOOK_SECONDS
        probe = circuit.probe_due(sender, now)
        if not probe and not circuit.available(sender, now):
            return LOOK_SECONDS
        if self.limits.unlimited and await self.gateways.backlog(sender["provider"]) >= MOST_BACKLOG:
            return BACKLOG_SECONDS
        heads = await self._heads(sender["provider"], 1 if probe or self.limits.gap else BATCH)
        if heads and self._waits_for_gap(heads, now):
            return self._until_gap(now)
        if not heads or (probe and not await self._begin_probe(sender, now)):
            return LOOK_SECONDS
        return await self._take(sender["provider"], heads)

    async def _take(self, provider: str, heads: list[DeliveryDocument]) -> float:
        granted = await self._ask_gate(heads)
        if isinstance(granted, Wait):
            await self._refuse_direct(heads, granted)
            self.metrics.gate_waits.labels(self.identity, granted.window or "gap").inc()
            if granted.window is None:
                self._gap_until = self.lookout.now() + timedelta(seconds=granted.seconds)
            return granted.seconds if granted.window is None else min(granted.seconds, 1.0)
        self._gap_until = None
        taken = heads if granted is None else heads[: granted.count]
        allowed = await self.caps.allow(taken)
        claimed = await self._claim(provider, allowed, granted)
        unused = (granted.count if granted else 0) - len(claimed)
        if granted is not None and not claimed:
            await self.gate.give_back(self.identity, granted)
        elif unused > 0:
            log.debug("gate.slots_unused", sender=self.identity, unused=unused)
        return 0

    def _waits_for_gap(self, heads: Sequence[DeliveryDocument], now: datetime) -> bool:
        """Whether the gate's last word still holds, so that asking again would only cost."""
        return self._gap_until is not None and now < self._gap_until and heads[0]["rank"] != 0

    def _until_gap(self, now: datetime) -> float:
        return (self._gap_until - now).total_seconds() if self._gap_until else 0.0

    async def _heads(self, provider: str, count: int) -> list[DeliveryDocument]:
        now = self.lookout.now()
        lanes = lanes_served(provider, known=self.lookout.providers(), usable=self.lookout.usable())
        heads = await self.deliveries.heads(lanes, now, count)
        if not self.ageing or len(heads) < count:
            return heads  # everything that waits is among them; ageing could change nothing but the order of one batch
        candidates = list(heads)
        for rank in (2, 3):
            candidates += await self.deliveries.aged(lanes, rank, now - self.ageing, now, count)
        return in_order(candidates, now, self.ageing, count)

    async def _ask_gate(self, heads: Sequence[DeliveryDocument]) -> Granted | Wait | None:
        """What the gate says; `None` when nothing limits this sender."""
        if self.limits.unlimited:
            return None
        critical = sum(1 for head in heads if head["rank"] == 0)
        if heads[0]["rank"] == 0:
            return await self.gate.grant(self.identity, self.limits, want=critical, skip_gap=True)
        return await self.gate.grant(self.identity, self.limits, want=len(heads))

    async def _begin_probe(self, sender: SenderDocument, now: datetime) -> bool:
        current = sender.get("circuit") or circuit.closed()
        probing = circuit.probing(current, now)
        if not await self.senders.save_circuit(self.identity, probing):
            return False
        self.lookout.learn(self.identity, {**probing, "revision": probing["revision"] + 1})
        log.info("circuit.probed", sender=self.identity)
        return True

    async def _claim(
        self, provider: str, heads: Sequence[DeliveryDocument], granted: Granted | None
    ) -> list[DeliveryDocument]:
        if not heads:
            return []
        now = self.lookout.now()
        slot = granted.slot if granted else None
        deadline = max(now, slot or now) + timedelta(seconds=REQUEST_SECONDS)
        claim = new_id("claim")
        claimed = await self.deliveries.claim(
            heads, claim=claim, provider=provider, sender=self.identity, now=now, deadline=deadline
        )
        if not claimed:
            return []
        self.metrics.claimed.labels(self.identity).inc(len(claimed))
        skips_gap = claimed[0]["rank"] == 0
        request = AttemptsRequested(
            claim=claim,
            provider=provider,
            sender=self.identity,
            deadline=deadline,
            gap=0.0 if skips_gap or slot is None else self.limits.gap,
            attempts=[_request(delivery, slot) for delivery in claimed],
        )
        try:
            await self.gateways.request(request)
        except Transient as error:
            log.warning("attempts.not_requested", claim=claim, attempts=len(claimed), error=str(error))
            await self._unclaim(claimed, claim)
        return claimed

    async def _unclaim(self, claimed: Sequence[DeliveryDocument], claim: str) -> None:
        """Put back what may not have reached the gateway: what it did take it has started by now, and keeps."""
        now = self.lookout.now()
        current = await self.deliveries.read([delivery["_id"] for delivery in claimed])
        changes = [
            (
                delivery,
                Change(
                    DeliveryStatus.QUEUED,
                    "RabbitMQ did not take the attempt",
                    lane=lane(delivery["route"]),
                    wake_at=delivery["expires_at"],
                ),
            )
            for delivery in current
            if delivery["attempt"] is not None
            and delivery["attempt"]["claim"] == claim
            and delivery["attempt"]["state"] == "requested"
        ]
        await self.deliveries.save(changes, now)

    async def _refuse_direct(self, heads: Sequence[DeliveryDocument], wait: Wait) -> None:
        """A direct send does not wait for a limit: whoever asked is told at once."""
        if wait.window is None:
            return
        code = f"{wait.window.upper()}_LIMIT_EXCEEDED"
        changes = [
            (head, Change(DeliveryStatus.CANCELLED, f"{self.identity}: the {wait.window} limit is reached",
                          fields={"code": code, "reason": f"{self.identity}: the {wait.window} limit is reached"}))
            for head in heads if head["direct"]
        ]  # fmt: skip
        if changes:
            await self.deliveries.save(changes, self.lookout.now())


def _request(delivery: DeliveryDocument, slot: datetime | None) -> AttemptRequest:
    return AttemptRequest(
        delivery_id=delivery["_id"],
        number=delivery["attempts_made"] + 1,
        recipient=delivery["recipient"],
        text=delivery["message"],
        slot=slot,
    )
