"""What Prometheus is told of each sender."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

from common.contracts.documents import SenderDocument
from common.contracts.vocabulary import AttemptState, Channel, CircuitState, FailureClass
from common.mongo.gate import Limits
from dispatcher.application.measure_queue import MeasureQueue
from dispatcher.application.measure_senders import MeasureSenders
from dispatcher.domain import circuit
from dispatcher.metrics import Metrics
from tests.support.dispatching.memory import StoppedClock, lookout, sender
from tests.support.dispatching.model import START

OPENED = circuit.after(
    circuit.closed(), [circuit.Result(START, START, AttemptState.FAILED, FailureClass.DISCONNECTED, "disconnected")]
)


@dataclass
class SendersWithGates:
    documents: list[SenderDocument] = field(default_factory=list)

    async def with_gates(self) -> list[SenderDocument]:
        return self.documents


class NothingWaits:
    async def by_channel_and_rank(self) -> dict[tuple[Channel, int], tuple[int, datetime]]:
        return {}


async def shown(registry: CollectorRegistry, *documents: SenderDocument, metrics: Metrics | None = None) -> Metrics:
    metrics = metrics or Metrics(registry)
    limits = Limits(10.0, per_hour=100, per_day=500)
    await MeasureSenders(SendersWithGates(list(documents)), lambda _: limits, StoppedClock(), metrics)()
    return metrics


async def test_a_sender_shows_the_state_its_circuit_is_in_and_no_other() -> None:
    registry = CollectorRegistry()
    await shown(registry, sender("fonnte-1", circuit=OPENED), sender("wablas-1", paused=True))

    def states(identity: str) -> dict[CircuitState, float | None]:
        return {
            state: registry.get_sample_value("sender_circuit_state", {"sender": identity, "state": state})
            for state in CircuitState
        }

    assert states("fonnte-1") == {CircuitState.OPEN: 1, CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 0}
    assert states("wablas-1") == {CircuitState.OPEN: 0, CircuitState.CLOSED: 1, CircuitState.HALF_OPEN: 0}
    assert registry.get_sample_value("sender_paused", {"sender": "wablas-1"}) == 1


async def test_a_quota_is_shown_once_it_is_known_and_what_it_was_once_a_top_up_was_seen() -> None:
    registry = CollectorRegistry()
    documents = sender("fonnte-1", quota_remaining=40, quota_total=1000), sender("wablas-1", quota_remaining=7)
    await shown(registry, *documents, sender("email-1"))
    remaining, total = (
        [registry.get_sample_value(name, {"sender": identity}) for identity in ("fonnte-1", "wablas-1", "email-1")]
        for name in ("sender_quota_remaining", "sender_quota_total")
    )
    assert remaining == [40, 7, None]
    assert total == [1000, None, None]


async def test_what_a_window_holds_is_shown_beside_what_it_may_hold() -> None:
    registry = CollectorRegistry()
    gate = {
        "hour": [{"at": START - timedelta(minutes=30), "n": 4}, {"at": START - timedelta(hours=2), "n": 9}],
        "day": [{"at": START - timedelta(hours=2), "n": 13}],
    }
    await shown(registry, sender("fonnte-1", gate=gate))
    figures = {
        window: [
            registry.get_sample_value(name, {"sender": "fonnte-1", "window": window})
            for name in ("sender_limit_used", "sender_limit")
        ]
        for window in ("minute", "hour", "day")
    }
    assert figures == {"minute": [None, None], "hour": [4, 100], "day": [13, 500]}


async def test_a_sender_that_is_gone_is_shown_no_more() -> None:
    registry = CollectorRegistry()
    metrics = await shown(registry, sender("fonnte-1"), sender("fonnte-2", circuit=OPENED))
    await shown(registry, sender("fonnte-1"), metrics=metrics)
    gone = {"sender": "fonnte-2", "state": CircuitState.OPEN}
    assert registry.get_sample_value("sender_circuit_state", gone) is None


async def test_one_whose_gateway_nobody_has_seen_for_a_day_is_none_any_more_and_raises_no_alert_for_ever() -> None:
    registry = CollectorRegistry()
    silent = {"circuit": OPENED, "quota_remaining": 3}
    away = sender("fonnte-2", gateway_seen_at=START - timedelta(hours=23), **silent)
    gone = sender("fonnte-3", gateway_seen_at=START - timedelta(days=1), **silent)
    metrics = await shown(registry, sender("fonnte-1"), away, gone)
    picture = await lookout(sender("fonnte-1"), away, gone)
    metrics.available.labels("fonnte-3").set(0)  # while it had just gone
    await MeasureQueue(NothingWaits(), picture, metrics)()

    def figures(identity: str) -> list[float | None]:
        return [
            registry.get_sample_value("sender_available", {"sender": identity}),
            registry.get_sample_value("sender_circuit_state", {"sender": identity, "state": CircuitState.OPEN}),
            registry.get_sample_value("sender_quota_remaining", {"sender": identity}),
        ]

    assert [figures(identity) for identity in ("fonnte-1", "fonnte-2", "fonnte-3")] == [
        [1, 0, None],
        [0, 1, 3],
        [None, None, None],
    ]
