"""Spans on their way to a collector: whole, sampled as asked, and never in anybody's way."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from prometheus_client import CollectorRegistry

from common.kernel.trace_context import TraceContext
from common.telemetry import tracing
from common.telemetry.exporting import exporting
from tests.support.bus import eventually
from tests.support.collector import Collector, collecting

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = TraceContext(TRACE, PARENT, sampled=True)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "5000")
    with collecting() as one:
        yield one


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def to(collector: Collector, registry: CollectorRegistry, ratio: float = 1.0) -> AbstractContextManager[None]:
    return exporting(collector.url, service="dispatcher", instance="one", ratio=ratio, registry=registry)


def exported(registry: CollectorRegistry, result: str) -> float:
    return registry.get_sample_value("span_exported_total", {"result": result}) or 0.0


def test_a_span_arrives_as_it_was(collector: Collector, registry: CollectorRegistry) -> None:
    with to(collector, registry), tracing.span("call", CALLER, kind=tracing.Kind.CLIENT) as made:
        made.link(TraceContext("af7651916cd43dd8448eb211c80319c7", "b7ad6b7169203331", sampled=True))
        made.note(delivery_id="dlv_1", attempt=2, seconds=0.5, failover=True)
        made.end(failed=True, outcome="failed")
    (span,) = collector.spans
    assert (span.service, span.name, span.kind, span.failed) == ("dispatcher", "call", "CLIENT", True)
    assert (span.trace_id, span.parent_id) == (TRACE, PARENT)
    assert made.context is not None
    assert span.span_id == made.context.span_id
    assert span.links == (("af7651916cd43dd8448eb211c80319c7", "b7ad6b7169203331"),)
    assert span.attributes == {
        "kabar.delivery_id": "dlv_1",
        "kabar.attempt": 2,
        "kabar.seconds": 0.5,
        "kabar.failover": True,
        "kabar.outcome": "failed",
    }
    assert (span.started, span.ended) == (made.started, made.ended)
    assert exported(registry, "taken") == 1


def test_a_collector_is_told_the_headers_it_wants(collector: Collector, registry: CollectorRegistry) -> None:
    wanted = "authorization=Bearer%20a-token,x-tenant=kabar"
    with exporting(collector.url, headers=wanted, service="one", instance="one", ratio=1.0, registry=registry):
        tracing.begin("work", CALLER).end()
    assert (collector.headers["authorization"], collector.headers["x-tenant"]) == ("Bearer a-token", "kabar")


def test_the_end_of_a_process_sends_what_is_not_sent_yet(
    monkeypatch: pytest.MonkeyPatch, registry: CollectorRegistry
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    with collecting() as collector:
        with to(collector, registry):
            for number in range(100):
                tracing.begin("work", CALLER).end(number=number)
        assert [span.attributes["kabar.number"] for span in collector.spans] == list(range(100))


@pytest.mark.parametrize("ratio", [0.0, 0.25, 1.0])
def test_so_many_traces_are_sampled_as_was_asked_for_and_each_whole(
    collector: Collector, registry: CollectorRegistry, ratio: float
) -> None:
    heads = 2_000
    with to(collector, registry, ratio):
        for _ in range(heads):
            with tracing.span("head", head=True), tracing.span("part"):
                pass
    by_trace: dict[str, list[str]] = {}
    for span in collector.spans:
        by_trace.setdefault(span.trace_id, []).append(span.name)
    assert abs(len(by_trace) / heads - ratio) <= (0.06 if 0 < ratio < 1 else 0)
    assert all(sorted(names) == ["head", "part"] for names in by_trace.values())


async def test_what_a_collector_does_not_take_is_lost_and_nothing_else(
    collector: Collector, registry: CollectorRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    collector.answer = 400
    with to(collector, registry):
        for number in (1, 2, 3):
            tracing.begin("lost", CALLER).end()
            await eventually(lambda number=number: exported(registry, "failed") == number)  # type: ignore[misc]
        collector.answer = 200
        tracing.begin("found", CALLER).end()
        await eventually(lambda: exported(registry, "taken") == 1)
    assert [span.name for span in collector.spans] == ["found"]
    said = [line for line in capsys.readouterr().out.splitlines() if "traces." in line]
    assert ["traces.not_exported" in line for line in said] == [True, False], "the library would say it of every batch"
    assert "400" in said[0]


async def test_what_comes_faster_than_a_collector_takes_it_is_dropped_said_once_and_can_be_told_by_the_figures(
    collector: Collector,
    registry: CollectorRegistry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5")
    recorded = 0
    with to(collector, registry):
        for _ in range(2):
            collector.silent.set()
            for _ in range(200):
                tracing.begin("work", CALLER).end()
            recorded += 200
            assert registry.get_sample_value("span_recorded_total") == recorded
            before = exported(registry, "taken")
            collector.silent.clear()
            await eventually(lambda before=before: exported(registry, "taken") >= before + 20)  # type: ignore[misc]
    assert exported(registry, "taken") < recorded
    assert registry.get_sample_value("span_exported_total", {"result": "failed"}) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "traces." in line]
    assert ["traces.dropped" in line for line in said] == [True]


def test_nobody_waits_for_a_collector_that_does_not_answer(collector: Collector, registry: CollectorRegistry) -> None:
    collector.silent.set()
    with to(collector, registry):
        began = time.monotonic()
        for _ in range(20_000):  # many more than are kept
            tracing.begin("work", CALLER).end()
        recording = time.monotonic() - began
        ending = time.monotonic()
    assert time.monotonic() - ending < 15, "it is given up long before the exporter's own patience is over"
    assert recording < 15


def test_where_nothing_is_exported_nothing_of_it_is_loaded() -> None:
    loaded = "import sys, common.runtime.process; print('opentelemetry' in sys.modules, 'requests' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["False", "False"]
