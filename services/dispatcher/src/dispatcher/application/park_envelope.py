"""Keep what nobody could handle where people can see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from common.kernel.clock import Clock
from common.telemetry.logs import logger
from dispatcher.metrics import Metrics

log = logger()


@dataclass(frozen=True)
class ParkedEnvelope:
    """An envelope with the reason it was refused and where it came from."""

    identity: str
    queue: str
    reason: str
    exchange: str
    routing_key: str
    body: str
    parked_at: datetime


class ParkedEnvelopes(Protocol):
    async def add(self, envelope: ParkedEnvelope) -> None:
        """Store it; storing the same one twice changes nothing."""
        ...


@dataclass(frozen=True)
class ParkEnvelope:
    parked: ParkedEnvelopes
    clock: Clock
    metrics: Metrics

    async def __call__(self, identity: str, body: bytes, headers: dict[str, Any], routing_key: str) -> None:
        deaths = headers.get("x-death") or [{}]
        queue = str(headers.get("x-kabar-queue") or deaths[0].get("queue") or routing_key)
        reason = str(headers.get("x-kabar-reason") or f"refused by the broker: {deaths[0].get('reason', 'unknown')}")
        keys = deaths[0].get("routing-keys") or [routing_key]
        await self.parked.add(
            ParkedEnvelope(
                identity=f"{queue}:{identity}",
                queue=queue,
                reason=reason,
                exchange=str(headers.get("x-kabar-exchange") or deaths[0].get("exchange") or ""),
                routing_key=str(headers.get("x-kabar-routing-key") or keys[0]),
                body=body.decode("utf-8", "replace"),
                parked_at=self.clock.now(),
            )
        )
        self.metrics.parked.labels(queue).inc()
        log.error("envelope.kept", queue=queue, reason=reason, message_id=identity)
