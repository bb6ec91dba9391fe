"""An OpenTelemetry collector for tests: takes OTLP over HTTP, and keeps what it is told."""

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Told
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass(frozen=True)
class Span:
    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[tuple[str, str], ...]
    """Traces and spans it is linked to."""
    attributes: Mapping[str, Any]
    started: int
    ended: int
    failed: bool


@dataclass
class Collector:
    """`answer` is the status it answers with; while `silent` is set it does not answer at all."""

    url: str
    answer: int = 200
    silent: threading.Event = field(default_factory=threading.Event)
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    """Of the last request, their names in lower case."""

    def of(self, trace_id: str) -> list[Span]:
        return [span for span in list(self.spans) if span.trace_id == trace_id]

    def take(self, body: bytes) -> int:
        if self.answer == 200:
            self.bodies.append(body)
            self.spans += _spans(body)
        return self.answer


@contextmanager
def collecting(port: int = 0) -> Iterator[Collector]:
    """A collector that listens until the end."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.headers = {name.lower(): value for name, value in self.headers.items()}
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            while collector.silent.is_set() and not over.wait(0.05):
                pass
            self.send_response(collector.take(body) if self.path == "/v1/traces" else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield collector
        finally:
            over.set()
            server.shutdown()
            serving.join()


def _spans(body: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = _attributes(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for told in scope.spans:
                yield Span(
                    service,
                    told.name,
                    Told.SpanKind.Name(told.kind).removeprefix("SPAN_KIND_"),
                    told.trace_id.hex(),
                    told.span_id.hex(),
                    told.parent_span_id.hex(),
                    tuple((link.trace_id.hex(), link.span_id.hex()) for link in told.links),
                    _attributes(told.attributes),
                    told.start_time_unix_nano,
                    told.end_time_unix_nano,
                    told.status.code == Status.STATUS_CODE_ERROR,
                )


def _attributes(told: Any) -> dict[str, Any]:
    return {one.key: _value(one) for one in told}


def _value(one: KeyValue) -> Any:
    value: AnyValue = one.value
    return getattr(value, value.WhichOneof("value") or "string_value")
