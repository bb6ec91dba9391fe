"""Spans: which are recorded, what they belong to, and what is said of work that serves many at once."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from common.kernel.trace_context import TraceContext
from common.messaging.coalesced import Coalesced
from common.telemetry import logs, tracing
from common.telemetry.joint_spans import JointSpans

TRACE, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "af7651916cd43dd8448eb211c80319c7"
SAMPLED = TraceContext(TRACE, "00f067aa0ba902b7", sampled=True)
UNSAMPLED = TraceContext(TRACE, "00f067aa0ba902b7", sampled=False)


class Recorded:
    """Keeps what is recorded; of the traces that begin here it wants all or none."""

    def __init__(self, *, wants: bool = True) -> None:
        self.spans: list[tracing.Span] = []
        self.wants = wants

    def samples(self, trace_id: int) -> bool:
        assert 0 < trace_id < 2**128
        return self.wants

    def record(self, span: tracing.Span) -> None:
        self.spans.append(span)


@contextmanager
def recorded(*, wants: bool = True) -> Iterator[list[tracing.Span]]:
    recorder = Recorded(wants=wants)
    with tracing.recording(recorder):
        yield recorder.spans


def another(context: TraceContext, span_id: str = "b7ad6b7169203331") -> TraceContext:
    return TraceContext(context.trace_id, span_id, context.sampled)


def test_a_span_inside_another_is_its_part() -> None:
    with recorded() as spans, tracing.span("outer", head=True) as outer, tracing.span("inner") as inner:
        tracing.note(delivery_id="dlv_1", code=None)
    assert [span.name for span in spans] == ["inner", "outer"]
    assert inner.parent == outer.context
    assert outer.parent is None
    assert inner.attributes == {"kabar.delivery_id": "dlv_1"}
    assert outer.started <= inner.started <= inner.ended <= outer.ended
    assert tracing.current() is None


def test_what_a_caller_began_goes_on() -> None:
    with recorded(wants=False) as spans, tracing.span("ours", SAMPLED, head=True) as span:
        assert tracing.current_traceparent() == span.traceparent
    assert (span.parent, span.context and span.context.trace_id) == (SAMPLED, TRACE)
    assert spans == [span]


def test_what_the_head_did_not_sample_nobody_samples_and_it_keeps_its_name() -> None:
    with recorded() as spans, tracing.span("ours", UNSAMPLED, head=True), tracing.span("inner"):
        assert tracing.current() == UNSAMPLED
    assert spans == []


def test_a_head_that_is_not_sampled_says_so_to_all_that_follows() -> None:
    with recorded(wants=False) as spans, tracing.span("head", head=True) as head, tracing.span("inner"):
        assert head.context is not None
        assert tracing.current() == head.context
        assert not head.context.sampled
    assert spans == []


def test_what_nobody_traced_from_its_beginning_is_not_traced_from_its_middle() -> None:
    with recorded() as spans, tracing.span("part") as span:
        assert span.context is None
    assert spans == []


def test_without_a_recorder_a_callers_trace_is_handed_on_and_nothing_is_recorded() -> None:
    with tracing.span("ours", SAMPLED, head=True) as span:
        span.note(delivery_id="dlv_1")
        assert tracing.current() == SAMPLED
    with tracing.span("ours", head=True) as span:
        assert tracing.current() is None
    assert span.attributes == {}
    assert tracing.exemplar(SAMPLED) is None


def test_a_span_whose_work_fails_says_so_and_nothing_of_what_was_raised() -> None:
    number = "6281200000001"
    with recorded() as spans, pytest.raises(ValueError, match=number), tracing.span("work", head=True):
        raise ValueError(number)
    assert [span.failed for span in spans] == [True]
    assert number not in str(spans)


def test_a_span_is_recorded_once() -> None:
    with recorded() as spans, tracing.span("work", head=True) as span:
        span.end(status="done")
    assert len(spans) == 1
    assert not spans[0].failed


def test_only_what_is_recorded_is_an_exemplar() -> None:
    with recorded():
        assert tracing.exemplar(SAMPLED) == {"trace_id": TRACE}
        assert tracing.exemplar(UNSAMPLED) is None
        assert tracing.exemplar(None) is None


def test_what_serves_many_is_a_span_in_each_of_their_traces() -> None:
    other = TraceContext(OTHER, "53995c3f42cd8ad8", sampled=True)
    items = [SAMPLED.traceparent, other.traceparent, SAMPLED.traceparent, UNSAMPLED.traceparent, None]
    with recorded() as spans:
        joint = JointSpans("send", items, lambda one: one)
        followed = [joint.follow(one) for one in items]
        joint.part("gate", 1, 2)
        joint.end(lambda some: {"deliveries": len(some)})
    sends = {span.context.trace_id: span for span in spans if span.name == "send" and span.context}
    assert {trace: span.attributes["kabar.deliveries"] for trace, span in sends.items()} == {TRACE: 2, OTHER: 1}
    assert followed == [
        sends[TRACE].traceparent,
        sends[OTHER].traceparent,
        sends[TRACE].traceparent,
        UNSAMPLED.traceparent,
        None,
    ]
    gates = [span for span in spans if span.name == "gate"]
    assert {gate.parent for gate in gates} == {span.context for span in sends.values()}
    assert joint.only is None


def test_of_several_spans_of_one_trace_the_first_is_continued_and_the_others_are_linked() -> None:
    calls = [another(SAMPLED, f"{number:016x}") for number in (1, 2, 3)]
    with recorded() as spans:
        joint = JointSpans("decide", calls, lambda one: one.traceparent, linked=lambda _: UNSAMPLED.traceparent)
        joint.end(lambda _: {})
    (span,) = spans
    assert span.parent == calls[0]
    assert [one for one in span.links if one != UNSAMPLED] == calls[1:]
    assert joint.only == span.context


def test_a_span_has_no_more_links_than_it_may() -> None:
    calls = [another(SAMPLED, f"{number:016x}") for number in range(1, 2 * tracing.MOST_LINKS)]
    with recorded() as spans:
        JointSpans("decide", calls, lambda one: one.traceparent).end(lambda _: {})
    assert [len(span.links) for span in spans] == [tracing.MOST_LINKS]


def test_without_a_recorder_many_are_handed_on_as_they_are() -> None:
    joint = JointSpans("send", [SAMPLED.traceparent], lambda one: one)
    assert joint.follow(SAMPLED.traceparent) == SAMPLED.traceparent
    assert joint.only is None


async def test_a_batch_belongs_to_the_trace_all_of_its_items_came_in() -> None:
    sent: list[tuple[list[int], TraceContext | None]] = []

    async def send(items: list[int]) -> None:
        sent.append((items, tracing.current()))

    coalesced = Coalesced(send, limit=2)
    running = asyncio.create_task(coalesced.run())
    with tracing.within(SAMPLED):
        coalesced.put(1)
        coalesced.put(2)
        coalesced.put(3)
    with tracing.within(another(SAMPLED)):
        coalesced.put(4)
    coalesced.put(5)
    with tracing.within(TraceContext(OTHER, "53995c3f42cd8ad8", sampled=True)):
        await coalesced.put(6)
    running.cancel()
    assert sent == [([1, 2], SAMPLED), ([3, 4], SAMPLED), ([5, 6], None)]


def test_a_log_line_names_the_trace_of_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    root, output = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stdout", output)
    logs.configure_logs(service="dispatcher", instance="one")
    try:
        with tracing.within(UNSAMPLED):
            structlog.get_logger().info("delivery.settled")
            logging.getLogger("library").warning("said something")
        structlog.get_logger().info("process.started")
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [line.get("trace_id") for line in lines] == [TRACE, TRACE, None]
