"""Every metric of the dispatcher."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 14400, 86400)


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
        self.queued = Gauge("delivery_queued", "Deliveries waiting in a lane.", ["priority"], registry=registry)
        self.oldest = Gauge(
            "delivery_queued_oldest_seconds", "Age of the oldest delivery waiting in a lane.", ["priority"],
            registry=registry,
        )  # fmt: skip
        self.available = Gauge("sender_available", "1 while a sender can be given work.", ["sender"], registry=registry)
        self.reports = Counter(
            "delivery_report_total", "Providers' reports by what they changed.", ["provider", "reported", "effect"],
            registry=registry,
        )  # fmt: skip
        self.announced = Counter("announcement_sent_total", "Events told to other services.", registry=registry)
        self.parked = Counter("envelope_parked_total", "Envelopes parked for a person.", ["queue"], registry=registry)
