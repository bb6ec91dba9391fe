"""Spans on their way to a collector, over OTLP/HTTP. Imported only where traces are exported.

A thread of the SDK's own sends them in batches. What it cannot send is dropped, and nobody ever waits for it: at the
end for seconds at most.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2 as otlp
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.util.re import parse_env_headers
from prometheus_client import CollectorRegistry, Counter

from common.telemetry import tracing
from common.telemetry.logs import clean, logger

FLUSH_SECONDS = 2.0
"""How long the end of a process waits for what is not sent yet."""
MOST_LINES = 3
REASON_CHARS = 300
SAID_AGAIN_SECONDS = 600.0
TAKEN, FAILED = "taken", "failed"
_PATH = "/v1/traces"
_SCOPE = InstrumentationScope("kabar")
_KINDS = {kind: otlp.Span.SpanKind.Value(f"SPAN_KIND_{kind}") for kind in tracing.Kind}
_ROOT = otlp.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE = _ROOT | otlp.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
_SAMPLED = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
_LIBRARY = logging.getLogger("opentelemetry")
log = logger()


class _Finished(ReadableSpan):
    """A span as the SDK's batches carry it: they only ask whether it is sampled, which all of ours are."""

    def __init__(self, span: tracing.Span) -> None:
        self.span = span

    @property
    def context(self) -> SpanContext:
        return _SAMPLED


class _Exporter(OTLPSpanExporter):
    """The library's, except that it writes down spans of ours, at a sixth of what the library's cost."""

    def __init__(self, resource: Resource, endpoint: str, headers: Mapping[str, str]) -> None:
        super().__init__(endpoint, headers=headers)
        self._empty = encode_spans([ReadableSpan("", _SAMPLED, resource=resource, instrumentation_scope=_SCOPE)])
        self._empty.resource_spans[0].scope_spans[0].ClearField("spans")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        request = ExportTraceServiceRequest()
        request.CopyFrom(self._empty)
        written = request.resource_spans[0].scope_spans[0].spans
        for one in cast(Sequence[_Finished], spans):
            _write(one.span, written.add())
        taken = self._client.export(request.SerializeToString()).success
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE


def _write(span: tracing.Span, to: otlp.Span) -> None:
    if span.context is not None:
        to.trace_id, to.span_id = bytes.fromhex(span.context.trace_id), bytes.fromhex(span.context.span_id)
    if span.parent is not None:
        to.parent_span_id = bytes.fromhex(span.parent.span_id)
    to.flags = _ROOT if span.parent is None else _REMOTE
    to.name, to.kind = span.name, _KINDS[span.kind]
    to.start_time_unix_nano, to.end_time_unix_nano = span.started, max(span.ended, span.started)
    if span.failed:
        to.status.code = otlp.Status.STATUS_CODE_ERROR
    for linked in span.links:
        to.links.add(trace_id=bytes.fromhex(linked.trace_id), span_id=bytes.fromhex(linked.span_id), flags=_REMOTE)
    for name, said in span.attributes.items():
        value = to.attributes.add(key=name).value
        if isinstance(said, str):
            value.string_value = said
        elif isinstance(said, bool):
            value.bool_value = said
        elif isinstance(said, int):
            value.int_value = said
        else:
            value.double_value = said


class _Said(logging.Handler):
    """What the library says of the batch at hand."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.lines) < MOST_LINES:
            self.lines.append(record.getMessage())


class _Telling(SpanExporter):
    """An exporter that says once when it stops working and once when it works again, and counts. The library would say
    it with every batch. What it says between two of them is that spans come faster than the collector takes them.
    """

    def __init__(self, exporter: SpanExporter, said: _Said, registry: CollectorRegistry) -> None:
        self._exporter = exporter
        self._said = said
        self._away = False
        self._dropped_at = float("-inf")
        self._exported = Counter(
            "span_exported_total", "Spans by whether the collector took them.", ["result"], registry=registry
        )
        for result in (TAKEN, FAILED):
            self._exported.labels(result)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._said.lines and not self._away and self._dropped_at + SAID_AGAIN_SECONDS < time.monotonic():
            self._dropped_at = time.monotonic()
            log.warning("traces.dropped", reason=clean("; ".join(self._said.lines))[:REASON_CHARS])
        self._said.lines.clear()
        result = self._exporter.export(spans)
        away = result is not SpanExportResult.SUCCESS
        self._exported.labels(FAILED if away else TAKEN).inc(len(spans))
        if away and not self._away:
            log.warning("traces.not_exported", reason=clean("; ".join(self._said.lines))[:REASON_CHARS])
        elif self._away and not away:
            log.info("traces.exported_again")
        self._away = away
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class SpanRecorder:
    """Hands finished spans to the SDK's batches.

    The SDK's own spans can do more than is needed here, and cost three times as much to make.
    """

    def __init__(self, processor: BatchSpanProcessor, ratio: float, registry: CollectorRegistry) -> None:
        self._processor = processor
        self._sampler = TraceIdRatioBased(ratio)
        self._recorded = Counter("span_recorded_total", "Spans there were to be exported.", registry=registry)

    def samples(self, trace_id: int) -> bool:
        return self._sampler.should_sample(None, trace_id, "").decision is Decision.RECORD_AND_SAMPLE

    def record(self, span: tracing.Span) -> None:
        self._recorded.inc()
        self._processor.on_end(_Finished(span))


@contextmanager
def exporting(
    endpoint: str, *, headers: str = "", service: str, instance: str, ratio: float, registry: CollectorRegistry
) -> Iterator[None]:
    """Record what is sampled and send it to the collector at this address meanwhile, with headers as
    `OTEL_EXPORTER_OTLP_HEADERS` lists them.

    Everything else is as the standard `OTEL_*` variables say.
    """
    said = _Said()
    _LIBRARY.addHandler(said)
    _LIBRARY.propagate = False
    resource = Resource.create({SERVICE_NAME: service, SERVICE_INSTANCE_ID: instance})
    exporter = _Exporter(resource, endpoint.rstrip("/") + _PATH, parse_env_headers(headers, liberal=True))
    processor = BatchSpanProcessor(_Telling(exporter, said, registry))
    said.lines.clear()  # of the settings, which may be secret
    try:
        with tracing.recording(SpanRecorder(processor, ratio, registry)):
            yield
    finally:
        flushing = threading.Thread(target=processor.shutdown, daemon=True)
        flushing.start()
        flushing.join(FLUSH_SECONDS)
        _LIBRARY.removeHandler(said)
        _LIBRARY.propagate = True
