"""What a gateway counts and logs."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from common.contracts.events import AttemptOutcome
from common.telemetry import tracing
from common.telemetry.logs import logger
from gateway.adapters.mongo_senders import MongoSenders

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45)
LATE_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
log = logger()


class AttemptObserver:
    """Metrics by provider and one log line an attempt: identifiers, never numbers or texts."""

    def __init__(self, provider: str, *, senders: MongoSenders, registry: CollectorRegistry) -> None:
        self._provider = provider
        self._senders = senders
        self._finished = Counter(
            "call_finished_total", "Calls by outcome.", ["provider", "state", "failure"], registry=registry
        )
        self._seconds = Histogram(
            "attempt_duration_seconds", "From the request's first byte to the outcome.", ["provider"],
            buckets=SECONDS, registry=registry,
        ).labels(provider)  # fmt: skip
        self._late = Histogram(
            "slot_lateness_seconds", "How long after its slot a call was made.", ["provider"],
            buckets=LATE_SECONDS, registry=registry,
        ).labels(provider)  # fmt: skip
        self._moved = Counter(
            "slot_moved_total", "Slots dated later because the call came late.", ["provider"], registry=registry
        ).labels(provider)

    def finished(self, outcome: AttemptOutcome, *, seconds: float | None) -> None:
        code = outcome.failure.value if outcome.failure else None
        self._finished.labels(self._provider, outcome.state.value, code or "").inc()
        if seconds is not None:
            self._seconds.observe(seconds, tracing.exemplar(tracing.current()))
        if outcome.quota_remaining is not None:
            self._senders.quota(outcome.sender, outcome.quota_remaining)
        event = f"attempt.{outcome.state.value}"
        log.info(
            event,
            delivery_id=outcome.delivery_id,
            number=outcome.number,
            provider=self._provider,
            sender=outcome.sender,
            seconds=None if seconds is None else round(seconds, 4),
            code=code,
        )

    def late(self, seconds: float) -> None:
        self._late.observe(seconds, tracing.exemplar(tracing.current()))

    def moved(self) -> None:
        self._moved.inc()


class WebhookCounter:
    """What webhooks say, counted."""

    def __init__(self, provider: str, registry: CollectorRegistry) -> None:
        self._provider = provider
        self._read = Counter(
            "webhook_read_total", "Webhooks by what they say.", ["provider", "said"], registry=registry
        )

    def webhook(self, said: str) -> None:
        self._read.labels(self._provider, said).inc()
