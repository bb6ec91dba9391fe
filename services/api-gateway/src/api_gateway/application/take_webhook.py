"""Take what a provider posts: known to be theirs, handed on raw, kept when nobody can take it now."""

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter

from api_gateway.domain.refusals import Code, Missing, Unavailable
from common.contracts.events import Webhook
from common.kernel.clock import Clock
from common.kernel.failures import Transient
from common.telemetry import tracing
from common.telemetry.logs import logger

LONGEST_CONTENT_TYPE = 200
FORWARDED_AT_ONCE = 200
log = logger()


class WebhookSecrets(Protocol):
    def usable(self, now: datetime) -> Sequence[str]:
        """What may be the last part of a webhook's address, the newest first; nothing while nobody knows it yet."""
        ...


class WebhookBus(Protocol):
    @property
    def connected(self) -> bool: ...

    async def publish(self, provider: str, webhook: Webhook) -> None:
        """Raises `Transient` when it may not have arrived."""
        ...


class WebhookInbox(Protocol):
    """Webhooks that wait for the bus."""

    async def add(self, provider: str, webhook: Webhook) -> None:
        """Raises `Transient`."""
        ...

    async def oldest(self, limit: int) -> Mapping[str, tuple[str, Webhook]]:
        """Some that wait, each after its provider, by their identity, in the order they came."""
        ...

    async def remove(self, identities: Sequence[str]) -> None: ...


class WebhookMetrics:
    def __init__(self, registry: CollectorRegistry, providers: Sequence[str]) -> None:
        self._received = Counter(
            "webhook_received_total", "Webhooks by provider and what became of them.", ["provider", "taken"],
            registry=registry,
        )  # fmt: skip
        for provider in providers:  # what is not there cannot rise
            for taken in ("published", "kept", "turned_away", "refused"):
                self._received.labels(provider, taken)

    def count(self, provider: str, taken: str) -> None:
        self._received.labels(provider, taken).inc()


@dataclass(frozen=True)
class TakeWebhook:
    """Answered once it is safe. One that was safe twice over is handed on twice, which is harmless."""

    providers: Sequence[str]
    secrets: WebhookSecrets
    bus: WebhookBus
    inbox: WebhookInbox
    clock: Clock
    metrics: WebhookMetrics

    def admit(self, provider: str, secret: str) -> None:
        """Raises `Missing` unless the address is one of ours, and `Unavailable` while nobody can tell."""
        known = self.secrets.usable(self.clock.now())
        if not known:
            raise Unavailable(Code.UNAVAILABLE, "the database does not answer; post it again in a moment")
        # Every one is looked at: how long it takes tells nobody which came near.
        right = [hmac.compare_digest(secret.encode(), one.encode()) for one in known]
        if not any(right) or provider not in self.providers:
            self.metrics.count(provider if provider in self.providers else "other", "refused")
            raise Missing(Code.NOT_FOUND, "there is no such webhook address")

    async def __call__(self, provider: str, content_type: str, body: bytes) -> None:
        """Hand it on, or keep it until that is possible. Raises `Unavailable` when neither is."""
        webhook = Webhook(
            content_type=content_type[:LONGEST_CONTENT_TYPE],
            body=body.decode("utf-8", "replace"),
            received_at=self.clock.now(),
            traceparent=tracing.current_traceparent(),
        )
        try:
            await self._publish(provider, webhook)
        except Transient:
            await self._keep(provider, webhook)
        else:
            self.metrics.count(provider, "published")

    async def forward(self) -> bool:
        """Hand on what was kept, oldest first; `True` while there is more."""
        if not self.bus.connected:
            return False
        waiting = await self.inbox.oldest(FORWARDED_AT_ONCE)
        outcomes = await asyncio.gather(*(self._publish(*one) for one in waiting.values()), return_exceptions=True)
        forwarded = [identity for identity, outcome in zip(waiting, outcomes, strict=True) if outcome is None]
        if forwarded:
            await self.inbox.remove(forwarded)
            log.info("webhooks.forwarded", webhooks=len(forwarded))
        for outcome in outcomes:
            if outcome is not None and not isinstance(outcome, Transient):
                raise outcome
        return len(forwarded) == FORWARDED_AT_ONCE

    async def _publish(self, provider: str, webhook: Webhook) -> None:
        if not self.bus.connected:
            raise Transient("RabbitMQ is away")
        await self.bus.publish(provider, webhook)

    async def _keep(self, provider: str, webhook: Webhook) -> None:
        try:
            await self.inbox.add(provider, webhook)
        except Transient as error:
            self.metrics.count(provider, "turned_away")
            raise Unavailable(Code.UNAVAILABLE, "neither RabbitMQ nor MongoDB answers; post it again later") from error
        self.metrics.count(provider, "kept")
