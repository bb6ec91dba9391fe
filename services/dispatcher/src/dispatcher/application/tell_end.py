"""Count and log what a delivery ended as."""

from collections.abc import Collection, Sequence
from datetime import datetime

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import WAITING, DeliveryStatus
from common.telemetry import tracing
from common.telemetry.logs import logger
from dispatcher.domain.change import Change
from dispatcher.metrics import Metrics

log = logger()


def tell_end(delivery: DeliveryDocument, change: Change, *, now: datetime, metrics: Metrics) -> None:
    """Once for every delivery that a saved change ended."""
    ended_at = change.fields.get("sent_at") or now
    seconds = max((ended_at - delivery["accepted_at"]).total_seconds(), 0.0)
    last = change.past or change.amended or (delivery["attempts"][-1] if delivery["attempts"] else {})
    metrics.settled.labels(change.status).inc()
    context = tracing.of(delivery)
    if change.status is DeliveryStatus.SENT:
        metrics.sent_seconds.labels(delivery["priority"]).observe(seconds, tracing.exemplar(context))
    with tracing.within(context):
        log.info(
            "delivery.settled", delivery_id=delivery["_id"], status=change.status, provider=last.get("provider"),
            seconds=round(seconds, 3), cause=change.cause,
        )  # fmt: skip


def tell_ends(
    changes: Sequence[tuple[DeliveryDocument, Change]], conflicting: Collection[str], *, now: datetime, metrics: Metrics
) -> None:
    """Of several changes those that were saved and ended their delivery."""
    for delivery, change in changes:
        if delivery["_id"] not in conflicting and change.status not in WAITING:
            tell_end(delivery, change, now=now, metrics=metrics)
