"""Counts, times and traces requests by route; nothing else stands between the server and the routes.

The time to answer is the time until the answer begins: a page that is watched live is answered for hours.
OpenTelemetry's own middleware takes most of the throughput, whether a trace is sampled or not.
"""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.kernel.trace_context import TraceContext, read_traceparent
from common.telemetry import tracing

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_UNTRACED = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds, about nothing."""


class Measured:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "http_request_total", "Requests by route and status.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds", "Time to answer.", ["route"], buckets=_SECONDS, registry=registry
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        span = _begin(scope)
        started = time.perf_counter()
        answered: tuple[str, str, int] | None = None

        def answer(status: int) -> tuple[str, str, int]:
            # Never the path itself: a webhook's ends with a secret.
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if route != "other" else "other"
            counter, seconds = self._child(method, route, status)
            counter.inc()
            seconds.observe(time.perf_counter() - started, tracing.exemplar(span.context))
            return method, route, status

        async def watched(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = answer(message["status"])
            await send(message)

        try:
            with tracing.within(span):
                await self._app(scope, receive, watched)
        finally:
            _end(span, *(answered or answer(500)))

    def _child(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        key = (method, route, status)
        child = self._children.get(key)
        if child is None:
            child = self._requests.labels(method, route, status), self._seconds.labels(route)
            self._children[key] = child
        return child


def _begin(scope: Scope) -> tracing.Span:
    if scope["path"] in _UNTRACED:
        return tracing.Span("", None)
    return tracing.begin("", _caller(scope), kind=tracing.Kind.SERVER, head=True)


def _caller(scope: Scope) -> TraceContext | None:
    """The span of whoever asks, where it is told, once."""
    told = [value for name, value in scope["headers"] if name == b"traceparent"]
    return read_traceparent(told[0].decode("latin-1")) if len(told) == 1 else None


def _end(span: tracing.Span, method: str, route: str, status: int) -> None:
    span.name = f"{method} {route}"
    said: dict[str, tracing.Attribute] = {"http.request.method": method, "http.route": route}
    span.note(**said, **{"http.response.status_code": status})
    span.end(failed=status >= 500)
