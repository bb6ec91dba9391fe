"""Spans of traces, and which one the present work belongs to.

`with tracing.span("plan notification", tracing.of(document), notification_id=…):` records one where traces are
exported and this one is sampled. Otherwise nothing is recorded, but a trace that somebody else began is still known to
the logs and handed on. Attributes are identifiers, codes and figures: never a number, a text, a token.
"""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from common.kernel.trace_context import TraceContext, read_traceparent

Attribute = str | int | float | bool
MOST_LINKS = 128
"""What the OpenTelemetry specification lets a span have at most, unless somebody sets another limit."""


class Kind(StrEnum):
    """What a span is to its neighbours, in OpenTelemetry's words."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


@dataclass(slots=True)
class Span:
    """A piece of work, from `begin` until its `end`. `context` is what its own parts belong to."""

    name: str
    context: TraceContext | None
    parent: TraceContext | None = None
    kind: Kind = Kind.INTERNAL
    links: Sequence[TraceContext] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict)
    started: int = 0
    ended: int = 0
    failed: bool = False
    recorder: "Recorder | None" = None

    @property
    def traceparent(self) -> str | None:
        return None if self.context is None else self.context.traceparent

    def link(self, to: TraceContext | None) -> None:
        """Say what else it has to do with."""
        if to is not None and self.recorder is not None and len(self.links) < MOST_LINKS:
            self.links = [*self.links, to]

    def note(self, **attributes: Attribute | None) -> None:
        """Say something of the work; `None` says nothing. Names become `kabar.<name>`."""
        if self.recorder is not None:
            self.attributes.update(_named(attributes))

    def end(self, *, at: int | None = None, failed: bool = False, **attributes: Attribute | None) -> None:
        """Record it, once."""
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            self.attributes.update(_named(attributes))
            self.ended, self.failed = at or now(), failed
            recorder.record(self)


class Recorder(Protocol):
    """Where the spans of sampled traces go."""

    def samples(self, trace_id: int) -> bool:
        """Whether a trace that begins here is recorded, everywhere."""
        ...

    def record(self, span: Span) -> None:
        """Takes it without waiting for anything."""
        ...


_current: ContextVar[Span | None] = ContextVar("span", default=None)
_recorder: Recorder | None = None


@contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Record the spans of this process meanwhile."""
    global _recorder  # noqa: PLW0603 - like the logs, it is the process's
    _recorder = recorder
    try:
        yield
    finally:
        _recorder = None


def is_recording() -> bool:
    return _recorder is not None


def now() -> int:
    """Nanoseconds since 1970, as spans count."""
    return time.time_ns()


def of(document: Mapping[str, Any]) -> TraceContext | None:
    """What a document that waited belongs to."""
    return read_traceparent(document.get("traceparent"))


def current() -> TraceContext | None:
    """What the present work belongs to."""
    span = _current.get()
    return None if span is None else span.context


def current_traceparent() -> str | None:
    """The same, as it is stored and sent."""
    span = _current.get()
    return None if span is None else span.traceparent


def note(**attributes: Attribute | None) -> None:
    """Say something of the present span."""
    span = _current.get()
    if span is not None:
        span.note(**attributes)


def exemplar(context: TraceContext | None) -> dict[str, str] | None:
    """What leads from a measurement to its trace, where that is recorded."""
    if _recorder is None or context is None or not context.sampled:
        return None
    return {"trace_id": context.trace_id}


def begin(
    name: str,
    parent: TraceContext | None,
    *,
    kind: Kind = Kind.INTERNAL,
    started: int | None = None,
    head: bool = False,
) -> Span:
    """A span of its parent's trace. Without a parent a `head` begins a trace, and whether that is recorded is decided
    now; anything else is part of what nobody traced.
    """
    recorder = _recorder
    if recorder is None or (parent is None and not head):
        return Span(name, parent)
    if parent is None:
        trace = random.getrandbits(128) or 1
        sampled = recorder.samples(trace)
        trace_id = f"{trace:032x}"
    else:
        trace_id, sampled = parent.trace_id, parent.sampled
        if not sampled:
            return Span(name, parent)
    context = TraceContext(trace_id, f"{random.getrandbits(64) or 1:016x}", sampled)
    if not sampled:
        return Span(name, context)
    return Span(name, context, parent, kind, started=started or now(), recorder=recorder)


@contextmanager
def span(
    name: str,
    parent: TraceContext | None = None,
    *,
    kind: Kind = Kind.INTERNAL,
    head: bool = False,
    **attributes: Attribute | None,
) -> Iterator[Span]:
    """The work inside is a span, the present one's part unless another parent is given."""
    made = begin(name, parent or current(), kind=kind, head=head)
    made.note(**attributes)
    token = _current.set(made)
    try:
        yield made
    except BaseException:
        made.end(failed=True)
        raise
    else:
        made.end()
    finally:
        _current.reset(token)


@contextmanager
def within(belongs_to: Span | TraceContext | None) -> Iterator[None]:
    """The work inside belongs there; nothing is recorded of it."""
    token = _current.set(belongs_to if isinstance(belongs_to, Span) else Span("", belongs_to))
    try:
        yield
    finally:
        _current.reset(token)


def enter(belongs_to: TraceContext | None) -> None:
    """The same for the rest of this task."""
    if belongs_to is not None:
        _current.set(Span("", belongs_to))


def shared(contexts: Iterable[TraceContext | None]) -> TraceContext | None:
    """The first of them when all are of one trace."""
    listed = list(contexts)
    first = listed[0] if listed else None
    alike = first is not None and all(one is not None and one.trace_id == first.trace_id for one in listed)
    return first if alike else None


def _named(attributes: Mapping[str, Attribute | None]) -> dict[str, Attribute]:
    return {name if "." in name else f"kabar.{name}": value for name, value in attributes.items() if value is not None}
