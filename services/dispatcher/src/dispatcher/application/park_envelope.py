"""Keep what nobody could handle where people can see it."""

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from common.kernel.clock import Clock
from common.telemetry import tracing
from common.telemetry.logs import logger
from common.topology.declarations import REPLAY_HEADER, REPLAY_MARK
from dispatcher.metrics import Metrics

WHOLE_BYTES = 8 * 1024 * 1024
"""A body up to here is kept whole, so that it can be handed in again; a document can have 16 MB."""
HEAD_BYTES = 256 * 1024
"""So much is kept of a larger one, and of one that is no text."""
log = logger()


@dataclass(frozen=True)
class ParkedEnvelope:
    """An envelope with the reason it was refused and where it came from; `body_bytes` is how long its body was,
    `digest` tells it from others. `traceparent` is the trace it came in: what it asks for belongs there when it is
    handed in again.
    """

    identity: str
    queue: str
    reason: str
    exchange: str
    routing_key: str
    body: str
    body_bytes: int
    digest: str
    parked_at: datetime
    traceparent: str | None = None


class ParkedEnvelopes(Protocol):
    async def add(self, envelope: ParkedEnvelope) -> None:
        """Store it where it is listed as parked. One that is listed already stays as it is, one that was replayed or
        discarded is opened again, and another body beside one that is listed has an identity of its own.
        """
        ...


@dataclass(frozen=True)
class ParkEnvelope:
    parked: ParkedEnvelopes
    clock: Clock
    metrics: Metrics

    async def __call__(self, identity: str, body: bytes, headers: dict[str, Any], routing_key: str) -> None:
        death = _last_death(headers)
        queue = str(headers.get("x-kabar-queue") or death.get("queue") or routing_key)
        reason = str(headers.get("x-kabar-reason") or f"refused by the broker: {death.get('reason', 'unknown')}")
        keys = death.get("routing-keys") or [routing_key]
        digest = hashlib.blake2b(body, digest_size=16).hexdigest()
        identity = identity or digest  # a stranger's envelope may have none
        if REPLAY_HEADER in headers:  # it was parked before, and what became of that one stays as it is
            identity = f"{identity}{REPLAY_MARK}{headers[REPLAY_HEADER]}"
        await self.parked.add(
            ParkedEnvelope(
                identity=f"{queue}:{identity}",
                queue=queue,
                reason=reason,
                exchange=str(headers.get("x-kabar-exchange") or death.get("exchange") or ""),
                routing_key=str(headers.get("x-kabar-routing-key") or keys[0]),
                body=_kept(body),
                body_bytes=len(body),
                digest=digest,
                parked_at=self.clock.now(),
                traceparent=tracing.current_traceparent(),
            )
        )
        self.metrics.park(queue)
        log.error("envelope.kept", queue=queue, reason=reason, message_id=identity)


def _kept(body: bytes) -> str:
    if len(body) <= WHOLE_BYTES:
        with contextlib.suppress(UnicodeDecodeError):
            return body.decode()
    return body[:HEAD_BYTES].decode("utf-8", "replace")


def _last_death(headers: dict[str, Any]) -> dict[str, Any]:
    deaths = headers.get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
