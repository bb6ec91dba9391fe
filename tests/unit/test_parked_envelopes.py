"""What is kept of an envelope nobody could handle."""

import pytest
from prometheus_client import CollectorRegistry

from common.kernel.trace_context import TraceContext
from common.telemetry import tracing
from dispatcher.application.park_envelope import HEAD_BYTES, WHOLE_BYTES, ParkedEnvelope, ParkEnvelope
from dispatcher.metrics import Metrics
from tests.support.dispatching.memory import StoppedClock


class Kept:
    def __init__(self) -> None:
        self.envelopes: list[ParkedEnvelope] = []

    async def add(self, envelope: ParkedEnvelope) -> None:
        self.envelopes.append(envelope)


@pytest.mark.parametrize("body", [b"x" * WHOLE_BYTES, ("é" * (WHOLE_BYTES // 2)).encode(), b"{}", b""])
async def test_a_body_that_fits_a_document_is_kept_whole(body: bytes) -> None:
    kept = Kept()
    await ParkEnvelope(kept, StoppedClock(), Metrics(CollectorRegistry()))("message-1", body, {}, "strange.key")
    (only,) = kept.envelopes
    assert (only.body.encode(), only.body_bytes) == (body, len(body))


async def test_of_what_is_no_text_no_more_is_kept_than_fits_a_document() -> None:
    kept = Kept()
    await ParkEnvelope(kept, StoppedClock(), Metrics(CollectorRegistry()))(
        "m", b"\xff" * WHOLE_BYTES, {}, "strange.key"
    )
    (only,) = kept.envelopes
    assert (len(only.body), only.body_bytes) == (HEAD_BYTES, WHOLE_BYTES)


async def test_of_a_body_larger_than_a_document_its_beginning_and_its_length_are_kept() -> None:
    kept = Kept()
    park = ParkEnvelope(kept, StoppedClock(), Metrics(CollectorRegistry()))
    await park("message-1", b"x" * 20_000_000, {}, "strange.key")
    await park("message-2", b"{}", {}, "strange.key")
    large, small = kept.envelopes
    assert (len(large.body), large.body_bytes) == (HEAD_BYTES, 20_000_000)
    assert (small.body, small.body_bytes) == ("{}", 2)


async def test_one_that_fails_again_after_a_replay_is_kept_beside_the_first() -> None:
    kept = Kept()
    park = ParkEnvelope(kept, StoppedClock(), Metrics(CollectorRegistry()))
    headers = {"x-kabar-queue": "a.queue", "x-kabar-reason": "not valid"}
    await park("evt_1", b"{}", headers, "a.queue")
    await park("evt_1", b"{}", {**headers, "x-kabar-replay": "1"}, "a.queue")
    assert [one.identity for one in kept.envelopes] == ["a.queue:evt_1", "a.queue:evt_1~replay-1"]


async def test_the_trace_it_came_in_is_kept_with_it() -> None:
    kept = Kept()
    context = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
    park = ParkEnvelope(kept, StoppedClock(), Metrics(CollectorRegistry()))
    with tracing.within(context):
        await park("m", b"{}", {}, "a.queue")
    await park("n", b"{}", {}, "a.queue")
    assert [one.traceparent for one in kept.envelopes] == [context.traceparent, None]


async def test_an_envelope_of_no_queue_of_ours_is_counted_under_no_name_of_its_own() -> None:
    registry = CollectorRegistry()
    park = ParkEnvelope(Kept(), StoppedClock(), Metrics(registry))
    for queue in ("dispatcher.facts", "6281200000001", "another.queue"):
        await park("m", b"{}", {"x-kabar-queue": queue}, queue)
    counted = [
        registry.get_sample_value("envelope_parked_total", {"queue": queue})
        for queue in ("dispatcher.facts", "other", "6281200000001")
    ]
    assert counted == [1, 2, None]
