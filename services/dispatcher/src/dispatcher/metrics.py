"""Every metric of the dispatcher.

What has few labels is there from the start: what is not there cannot rise, so that the first one would not be seen.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from common.contracts.vocabulary import WAITING, AttemptState, DeliveryStatus, FailureClass, Priority
from common.topology.declarations import GATEWAYS, QUEUES

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 14400, 86400)

OWN_QUEUES = frozenset(queue.name for queue in QUEUES)
OTHER = "other"


class Metrics:
    """Built once in wiring; the names are what dashboards and alerts use."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.planned = Counter("notification_planned_total", "Notifications planned.", registry=registry)
        self.deliveries_planned = Counter("delivery_planned_total", "Deliveries planned.", registry=registry)
        self.claimed = Counter("delivery_claimed_total", "Deliveries claimed.", ["sender"], registry=registry)
        self.gate_waits = Counter(
            "gate_wait_total", "Times a gate said wait, by what it waits for.", ["sender", "cause"], registry=registry
        )
        self.attempts = Counter(
            "attempt_finished_total", "Attempts by provider and outcome.", ["provider", "outcome", "code"],
            registry=registry,
        )  # fmt: skip
        self.settled = Counter("delivery_settled_total", "Deliveries that ended.", ["status"], registry=registry)
        self.sent_seconds = Histogram(
            "delivery_sent_seconds", "From accepted to sent.", ["priority"], buckets=SECONDS, registry=registry
        )
        self.failovers = Counter(
            "delivery_failover_total", "Deliveries handed to the next provider.", registry=registry
        )
        self.retries = Counter("delivery_retry_total", "Rounds begun again after a wait.", registry=registry)
        self.unknown = Counter("attempt_unknown_total", "Attempts nobody can tell the outcome of.", ["provider"],
                               registry=registry)  # fmt: skip
        self.deferred = Counter(
            "delivery_deferred_total", "Deliveries made to wait, by what for.", ["cause"], registry=registry
        )
        self.woken = Counter("delivery_woken_total", "Deliveries whose deadline passed.", ["status"], registry=registry)
        self.queued = Gauge(
            "delivery_queued", "Deliveries waiting in a lane.", ["channel", "priority"], registry=registry
        )
        self.oldest = Gauge(
            "delivery_queued_oldest_seconds", "Age of the oldest delivery waiting in a lane.", ["channel", "priority"],
            registry=registry,
        )  # fmt: skip
        self.available = Gauge("sender_available", "1 while a sender can be given work.", ["sender"], registry=registry)
        self.senders = SenderMetrics(registry)
        self.reports = Counter(
            "delivery_report_total", "Providers' reports by what they changed.", ["provider", "reported", "effect"],
            registry=registry,
        )  # fmt: skip
        self.announced = Counter("announcement_sent_total", "Events told to other services.", registry=registry)
        self.parked = Counter("envelope_parked_total", "Envelopes parked for a person.", ["queue"], registry=registry)
        for status in DeliveryStatus:
            self.settled.labels(status)
        for status in WAITING:
            self.woken.labels(status)
        for priority in Priority:
            self.sent_seconds.labels(priority)
        for provider in GATEWAYS:
            self.unknown.labels(provider)
            self.attempts.labels(provider, AttemptState.SUCCEEDED, "")
            for failure in FailureClass:
                self.attempts.labels(provider, AttemptState.FAILED, failure)
        for queue in (*OWN_QUEUES, OTHER):
            self.parked.labels(queue)

    def park(self, queue: str) -> None:
        """Whoever publishes to us can name a queue as they like: one that is none of ours is `other`."""
        self.parked.labels(queue if queue in OWN_QUEUES else OTHER).inc()


class SenderMetrics:
    """How each sender is, as of the last look."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.paused = Gauge("sender_paused", "1 while somebody has paused a sender.", ["sender"], registry=registry)
        self.circuit = Gauge(
            "sender_circuit_state", "1 for the state a sender's circuit is in.", ["sender", "state"], registry=registry
        )
        self.remaining = Gauge(
            "sender_quota_remaining", "Messages left of a sender's quota.", ["sender"], registry=registry
        )
        self.total = Gauge(
            "sender_quota_total", "What was left after the last top-up, once one was seen.", ["sender"],
            registry=registry,
        )  # fmt: skip
        self.used = Gauge(
            "sender_limit_used", "Messages in a sender's window.", ["sender", "window"], registry=registry
        )
        self.limit = Gauge("sender_limit", "Messages its window may hold.", ["sender", "window"], registry=registry)

    def clear(self) -> None:
        for gauge in (self.paused, self.circuit, self.remaining, self.total, self.used, self.limit):
            gauge.clear()
