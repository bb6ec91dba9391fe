"""How each sender is, for the metrics: paused, its circuit, its quota, its limits."""

from dataclasses import dataclass
from typing import Protocol

from common.contracts.documents import SenderDocument
from common.contracts.vocabulary import CircuitState
from common.kernel.clock import Clock
from common.mongo.gate import usage
from common.mongo.sender_limits import LimitsOf
from dispatcher.domain import circuit
from dispatcher.metrics import Metrics


class Gates(Protocol):
    async def with_gates(self) -> list[SenderDocument]:
        """Every sender, with what its limits count."""
        ...


@dataclass(frozen=True)
class MeasureSenders:
    gates: Gates
    limits: LimitsOf
    clock: Clock
    metrics: Metrics

    async def __call__(self) -> None:
        senders, now = await self.gates.with_gates(), self.clock.now()
        shown = self.metrics.senders
        shown.clear()  # a sender that is gone is not to stay as it was
        for sender in senders:
            if circuit.forgotten(sender, now):
                continue
            identity = sender["_id"]
            shown.paused.labels(identity).set(bool(sender.get("paused")))
            now_in = (sender.get("circuit") or circuit.closed())["state"]
            for state in CircuitState:
                shown.circuit.labels(identity, state).set(state == now_in)
            if "quota_remaining" in sender:
                shown.remaining.labels(identity).set(sender["quota_remaining"])
            if "quota_total" in sender:
                shown.total.labels(identity).set(sender["quota_total"])
            for one in usage(sender.get("gate", {}), self.limits(sender["provider"]), now):
                shown.used.labels(identity, one.window).set(one.used)
                shown.limit.labels(identity, one.window).set(one.limit)
