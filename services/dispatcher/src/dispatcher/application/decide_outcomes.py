"""Apply what came of attempts: to the circuits first, then to the deliveries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from common.contracts.documents import Circuit, DeliveryDocument
from common.contracts.events import AttemptOutcome, AttemptsFinished
from common.contracts.vocabulary import WAITING, AttemptState, CircuitState, DeliveryStatus
from common.telemetry import tracing
from common.telemetry.joint_spans import JointSpans
from common.telemetry.logs import logger
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Senders
from dispatcher.application.tell_end import tell_end
from dispatcher.domain import circuit
from dispatcher.domain.change import Change
from dispatcher.domain.decisions import decide, wake
from dispatcher.domain.lanes import lanes_among
from dispatcher.domain.retries import RetryPlan
from dispatcher.domain.rounds import Situation
from dispatcher.metrics import Metrics

OVERDUE_BATCH = 500
REPORTED = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.READ})
"""Had ended before: what is reported goes beyond the end."""
log = logger()


@dataclass
class DecideOutcomes:
    """The one place that decides: done, next provider, later, a person, dead."""

    deliveries: Deliveries
    senders: Senders
    lookout: Lookout
    plan: RetryPlan
    metrics: Metrics
    _usable: frozenset[str] | None = None

    async def __call__(self, finished: AttemptsFinished) -> None:
        waiting = list(finished.outcomes)
        counted: set[int] = set()
        while waiting:
            # Several outcomes of one delivery in one envelope are applied one after the other.
            first = {outcome.delivery_id: outcome for outcome in reversed(waiting)}
            conflicting = set(await self._apply(finished.provider, first, counted))
            done = {id(outcome) for identity, outcome in first.items() if identity not in conflicting}
            waiting = [outcome for outcome in waiting if id(outcome) not in done]

    async def overdue(self) -> bool:
        """Decide on everything whose deadline passed; `True` while there may be more."""
        now = self.lookout.now()
        await self._after_departures(now)
        more = False
        async for overdue in self.deliveries.overdue(now, OVERDUE_BATCH):
            await self._wake(overdue)
            more = more or len(overdue) == OVERDUE_BATCH
        return more

    async def _wake(self, overdue: Sequence[DeliveryDocument]) -> None:
        situation = await self.situation()
        changes = []
        for delivery in overdue:
            self.metrics.woken.labels(delivery["status"]).inc()
            change = wake(delivery, situation)
            if change is not None:
                situation = situation.following(change)
                changes.append((delivery, change))
        if changes:
            spans = JointSpans("look again", changes, lambda one: one[0].get("traceparent"))
            await self.save(changes)
            spans.end(said_of)

    async def _after_departures(self, now: datetime) -> None:
        """What waits only for providers that have just gone, or went while nobody looked, is offered to all of them."""
        await self.lookout.known()
        usable = self.lookout.usable()
        if self._usable is None or self._usable - usable:
            await self.deliveries.wake_rests(lanes_among(self.lookout.providers() - usable), now)
        self._usable = usable

    async def _apply(self, provider: str, outcomes: dict[str, AttemptOutcome], counted: set[int]) -> list[str]:
        found = [(delivery, outcomes[delivery["_id"]]) for delivery in await self.deliveries.read(list(outcomes))]
        situation = await self.situation()
        news = [(delivery, outcome) for delivery, outcome in found if decide(delivery, outcome, situation) is not None]
        await self._learn(provider, [outcome for _, outcome in news if id(outcome) not in counted])
        counted.update(id(outcome) for _, outcome in news)
        situation = await self.situation()  # what was just learnt of the senders decides where to go on
        spans = JointSpans(
            "decide", news, lambda one: one[1].traceparent or one[0].get("traceparent"), kind=tracing.Kind.CONSUMER
        )
        changes = []
        for delivery, outcome in news:
            change = decide(delivery, outcome, situation)
            if change is not None:
                situation = situation.following(change)
                changes.append((delivery, change))
        conflicting = await self.save(changes)
        became = {delivery["_id"]: change for delivery, change in changes}
        spans.end(lambda items: said_of([(one, became[one["_id"]]) for one, _ in items if one["_id"] in became]))
        return conflicting

    async def _learn(self, provider: str, outcomes: Sequence[AttemptOutcome]) -> None:
        """Count outcomes and have them tell about their senders; one that is told twice says nothing new."""
        for outcome in outcomes:
            self.metrics.attempts.labels(provider, outcome.state, outcome.failure or "").inc()
            if outcome.state is AttemptState.UNKNOWN:
                self.metrics.unknown.labels(provider).inc()
        await self._settle_circuits(outcomes)

    async def save(self, changes: Sequence[tuple[DeliveryDocument, Change]]) -> list[str]:
        """Write changes and count what they did; answers the ids of those somebody changed meanwhile."""
        conflicting = set(await self.deliveries.save(changes, self.lookout.now()))
        lined_up = False
        for delivery, change in changes:
            if delivery["_id"] not in conflicting:
                lined_up = lined_up or change.lane is not None
                self._count(delivery, change)
        if lined_up:
            self.lookout.poke()
        return list(conflicting)

    def _count(self, delivery: DeliveryDocument, change: Change) -> None:
        if change.status == delivery["status"] and change.keep_attempt:
            return
        if change.status in REPORTED:
            return
        if change.status not in WAITING:
            tell_end(delivery, change, now=self.lookout.now(), metrics=self.metrics)
        elif change.past is not None and change.lane and change.lane.partition(",")[0] != change.past["provider"]:
            self.metrics.failovers.inc()
        if change.fields.get("retries", 0) > delivery["retries"]:
            self.metrics.retries.inc()

    async def _settle_circuits(self, outcomes: Sequence[AttemptOutcome]) -> None:
        by_sender: dict[str, list[circuit.Result]] = {}
        for outcome in outcomes:
            by_sender.setdefault(outcome.sender, []).append(
                circuit.Result(outcome.finished_at, outcome.started_at, outcome.state, outcome.failure, outcome.error)
            )
        for sender, results in by_sender.items():
            picture = self.lookout.sender(sender)
            known = None if picture is None else picture.get("circuit")
            if not all(circuit.says_nothing_new(known, result) for result in results):
                await self.settle(sender, partial(circuit.after, results=results))

    async def settle(self, sender: str, change: Callable[[Circuit], Circuit]) -> None:
        """Change a sender's circuit under the revision it was read with, unless the change leaves it as it is."""
        while True:
            before = await self.senders.circuit(sender)
            if before is None:
                return
            after = change(before)
            if after is before:
                return
            if await self.senders.save_circuit(sender, after):
                break
        self.lookout.learn(sender, {**after, "revision": after["revision"] + 1})
        if after["state"] != before["state"]:
            opened = after["state"] == CircuitState.OPEN
            (log.warning if opened else log.info)(
                "circuit.opened" if opened else "circuit.closed", sender=sender, reason=after["reason"],
                retry_at=after["retry_at"],
            )  # fmt: skip

    async def situation(self) -> Situation:
        await self.lookout.known()
        return Situation(self.lookout.now(), self.lookout.usable(), self.plan, self.lookout.probed())


def said_of(changes: Sequence[tuple[DeliveryDocument, Change]]) -> Mapping[str, tracing.Attribute]:
    """What a span tells of them: of one its outcome and what becomes of it, of several how many."""
    if len(changes) != 1:
        return {"deliveries": len(changes)}
    [(delivery, change)] = changes
    said: dict[str, tracing.Attribute] = {"delivery_id": delivery["_id"], "status": change.status.value}
    if change.past is not None:
        said |= {
            "attempt": change.past["number"],
            "provider": change.past["provider"],
            "outcome": change.past["outcome"],
        }
    if change.status is DeliveryStatus.QUEUED and change.lane is not None:
        said["lane"] = change.lane
    return said
