"""Spans on their way to a collector, over OTLP/HTTP. Imported only where traces are exported.

A thread of the SDK's own sends them in batches. What it cannot send is dropped, and nobody ever waits for it: at the
end for seconds at most.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode
from opentelemetry.util.re import parse_env_headers
from prometheus_client import CollectorRegistry, Counter

from common.kernel.trace_context import TraceContext
from common.telemetry import tracing
from common.telemetry.logs import clean, logger

FLUSH_SECONDS = 2.0
"""How long the end of a process waits for what is not sent yet."""
MOST_LINES = 3
REASON_CHARS = 300
_PATH = "/v1/traces"
_SCOPE = InstrumentationScope("kabar")
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_KINDS = {kind: SpanKind[kind] for kind in tracing.Kind}
_LIBRARY = logging.getLogger("opentelemetry")
_UNSET, _ERROR = Status(StatusCode.UNSET), Status(StatusCode.ERROR)
log = logger()


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
    it with every batch.
    """

    def __init__(self, exporter: SpanExporter, said: _Said, registry: CollectorRegistry) -> None:
        self._exporter = exporter
        self._said = said
        self._away = False
        self._exported = Counter(
            "span_exported_total", "Spans by whether the collector took them.", ["result"], registry=registry
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._said.lines.clear()
        result = self._exporter.export(spans)
        away = result is not SpanExportResult.SUCCESS
        self._exported.labels("failed" if away else "taken").inc(len(spans))
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

    def __init__(self, processor: BatchSpanProcessor, resource: Resource, ratio: float) -> None:
        self._processor = processor
        self._resource = resource
        self._sampler = TraceIdRatioBased(ratio)

    def samples(self, trace_id: int) -> bool:
        return self._sampler.should_sample(None, trace_id, "").decision is Decision.RECORD_AND_SAMPLE

    def record(self, span: tracing.Span) -> None:
        if span.context is None:
            return
        self._processor.on_end(
            ReadableSpan(
                name=span.name,
                context=_context(span.context, remote=False),
                parent=None if span.parent is None else _context(span.parent, remote=True),
                resource=self._resource,
                attributes=span.attributes,
                links=[Link(_context(one, remote=True)) for one in span.links],
                kind=_KINDS[span.kind],
                status=_ERROR if span.failed else _UNSET,
                start_time=span.started,
                end_time=max(span.ended, span.started),
                instrumentation_scope=_SCOPE,
            )
        )


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
    exporter = OTLPSpanExporter(endpoint.rstrip("/") + _PATH, headers=parse_env_headers(headers, liberal=True))
    processor = BatchSpanProcessor(_Telling(exporter, said, registry))
    resource = Resource.create({SERVICE_NAME: service, SERVICE_INSTANCE_ID: instance})
    try:
        with tracing.recording(SpanRecorder(processor, resource, ratio)):
            yield
    finally:
        flushing = threading.Thread(target=processor.shutdown, daemon=True)
        flushing.start()
        flushing.join(FLUSH_SECONDS)
        _LIBRARY.removeHandler(said)
        _LIBRARY.propagate = True


def _context(context: TraceContext, *, remote: bool) -> SpanContext:
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=remote, trace_flags=_SAMPLED)
