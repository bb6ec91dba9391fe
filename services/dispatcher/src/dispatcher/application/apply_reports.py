"""Apply what providers report of messages they had taken."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from common.contracts.documents import DeliveryDocument
from common.contracts.events import DeliveriesReported, Report
from common.telemetry import tracing
from common.telemetry.joint_spans import JointSpans
from common.telemetry.logs import logger
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.domain.change import Change
from dispatcher.domain.reports import Effect, NotYet, apply_report
from dispatcher.metrics import Metrics

EARLY_FOR = timedelta(minutes=10)
"""How long a report may wait for the answer that says what it is about."""
FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(seconds=60)
MOST_DOUBLINGS = 10
EARLY_BATCH = 500
log = logger()


@dataclass(frozen=True)
class EarlyReport:
    """A report nobody could place yet; `identity` is the same however often it comes."""

    identity: str
    provider: str
    report: Report
    tries: int
    expires_at: datetime


class EarlyReports(Protocol):
    async def keep(self, reports: Sequence[EarlyReport], retry_at: datetime) -> None:
        """Store those that are not there."""
        ...

    async def due(self, now: datetime, limit: int) -> list[EarlyReport]: ...

    async def postpone(self, reports: Iterable[tuple[EarlyReport, datetime]]) -> None:
        """Count one more try and say when the next one is."""
        ...

    async def forget(self, identities: Sequence[str]) -> None: ...


class ReportedDeliveries(Protocol):
    async def reported(
        self, *, ids: Sequence[str], message_ids: Sequence[str], state_ids: Sequence[str]
    ) -> list[DeliveryDocument]:
        """The deliveries with one of these ids, or with an attempt of one of these names."""
        ...


@dataclass(frozen=True)
class ApplyReports:
    deliveries: ReportedDeliveries
    early: EarlyReports
    decide: DecideOutcomes
    metrics: Metrics

    async def __call__(self, event: DeliveriesReported) -> None:
        """Returns once every report is applied, known to say nothing new, or kept."""
        later = await self.apply(event.provider, event.reports)
        if later:
            now = self.decide.lookout.now()
            kept = {one.identity: one for one in (_early(event.provider, report, now) for report in later)}
            await self.early.keep(list(kept.values()), now + FIRST_RETRY)

    async def retry_early(self) -> bool:
        """Try those again that are due; `True` while there may be more."""
        now = self.decide.lookout.now()
        due = await self.early.due(now, EARLY_BATCH)
        if not due:
            return False
        # First, so that what stops us in between costs a wait and nothing else.
        await self.early.postpone((one, now + _wait(one.tries)) for one in due)
        done = [one.identity for one in due if one.expires_at <= now]
        for provider in {one.provider for one in due}:
            mine = [one for one in due if one.provider == provider]
            later = {id(report) for report in await self.apply(provider, [one.report for one in mine])}
            done += [one.identity for one in mine if id(one.report) not in later]
        if done:
            await self.early.forget(done)
        return len(due) == EARLY_BATCH

    async def apply(self, provider: str, reports: Sequence[Report]) -> list[Report]:
        """Apply what can be; answers those that are about nothing we know so far."""
        waiting, later = list(reports), []
        while waiting:
            known = _Known(provider, await self._read(waiting))
            situation = await self.decide.situation()
            effects: dict[str, tuple[Report, DeliveryDocument, Effect]] = {}
            rest: list[Report] = []
            for report in waiting:
                found = known.find(report)
                if found is None:
                    later.append(report)
                    continue
                delivery, number = found
                if delivery["_id"] in effects:  # one after the other
                    rest.append(report)
                    continue
                match apply_report(delivery, number, report, situation):
                    case None:
                        self._count(provider, report, "nothing_new")
                    case NotYet():
                        later.append(report)
                    case effect:
                        effects[delivery["_id"]] = (report, delivery, effect)
            again = await self._save(provider, effects)
            waiting = [report for report in waiting if id(report) in again | {id(one) for one in rest}]
        for report in later:
            self._count(provider, report, "early")
        return later

    async def _save(self, provider: str, effects: dict[str, tuple[Report, DeliveryDocument, Effect]]) -> set[int]:
        changes: list[tuple[DeliveryDocument, Change]] = [
            (delivery, effect.change) for _, delivery, effect in effects.values()
        ]
        spans = JointSpans(
            "report",
            list(effects.values()),
            lambda one: one[1].get("traceparent"),
            kind=tracing.Kind.CONSUMER,
            linked=lambda one: one[0].traceparent,
        )
        conflicting = set(await self.decide.save(changes)) if changes else set()
        spans.end(_said)
        again = set()
        for identity, (report, delivery, effect) in effects.items():
            if identity in conflicting or effect.again:
                again.add(id(report))
            if identity in conflicting:
                continue
            self._count(provider, report, "applied")
            if effect.change.status != delivery["status"]:
                with tracing.within(tracing.of(delivery)):
                    log.info(
                        "delivery.reported", delivery_id=identity, provider=provider, reported=report.reported,
                        status=effect.change.status,
                    )  # fmt: skip
        return again

    async def _read(self, reports: Sequence[Report]) -> list[DeliveryDocument]:
        return await self.deliveries.reported(
            ids=list({_referred(one.reference)[0] for one in reports if one.reference}),
            message_ids=list({one.message_id for one in reports if one.message_id}),
            state_ids=list({one.state_id for one in reports if one.state_id}),
        )

    def _count(self, provider: str, report: Report, effect: str) -> None:
        self.metrics.reports.labels(provider, report.reported, effect).inc()


@dataclass
class _Known:
    """Deliveries, found by what a report calls them."""

    provider: str
    deliveries: Sequence[DeliveryDocument]
    _named: dict[tuple[str, str], tuple[DeliveryDocument, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for delivery in self.deliveries:
            for attempt in delivery["attempts"]:
                if attempt["provider"] != self.provider:
                    continue
                self._named["reference", f"{delivery['_id']}.{attempt['number']}"] = delivery, attempt["number"]
                if attempt["provider_message_id"]:
                    self._named["message", attempt["provider_message_id"]] = delivery, attempt["number"]
                if attempt.get("state_id"):
                    self._named["state", attempt["state_id"]] = delivery, attempt["number"]
            current = delivery["attempt"]
            if current is not None and current["provider"] == self.provider:
                self._named["reference", f"{delivery['_id']}.{current['number']}"] = delivery, current["number"]

    def find(self, report: Report) -> tuple[DeliveryDocument, int] | None:
        names = (("reference", report.reference), ("message", report.message_id), ("state", report.state_id))
        return next((self._named[kind, name] for kind, name in names if name and (kind, name) in self._named), None)


def _said(applied: Sequence[tuple[Report, DeliveryDocument, Effect]]) -> Mapping[str, tracing.Attribute]:
    report, delivery, effect = applied[0]
    if len(applied) > 1:
        return {"deliveries": len(applied), "reported": report.reported.value}
    said: dict[str, tracing.Attribute] = {"delivery_id": delivery["_id"], "status": effect.change.status.value}
    return {**said, "reported": report.reported.value}


def _referred(reference: str) -> tuple[str, str]:
    """The delivery of a reference, and the attempt's number as it is written."""
    delivery, _, number = reference.rpartition(".")
    return delivery, number


def _early(provider: str, report: Report, now: datetime) -> EarlyReport:
    named = f"{provider}\x1f{report.reference}\x1f{report.message_id}\x1f{report.state_id}\x1f{report.reported}"
    identity = hashlib.blake2b(named.encode(), digest_size=16).hexdigest()
    return EarlyReport(identity, provider, report, 0, now + EARLY_FOR)


def _wait(tries: int) -> timedelta:
    doubled: timedelta = FIRST_RETRY * 2 ** min(tries, MOST_DOUBLINGS)
    return min(doubled, LAST_RETRY)
