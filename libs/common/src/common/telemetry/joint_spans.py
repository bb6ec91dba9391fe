"""Spans of what is done for many at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from common.kernel.trace_context import TraceContext, read_traceparent
from common.telemetry import tracing

T = TypeVar("T")


class JointSpans(Generic[T]):
    """One for each trace of the items: so each trace tells all that happened to it, and a broadcast's does it once.

    Where items of one trace come from several spans of it, theirs is the first one's part and linked to the others.
    `linked`: what an item's span has to do with besides.
    """

    def __init__(
        self,
        name: str,
        items: Sequence[T],
        traceparent: Callable[[T], str | None],
        *,
        kind: tracing.Kind = tracing.Kind.INTERNAL,
        linked: Callable[[T], str | None] | None = None,
        started: int | None = None,
    ) -> None:
        self._name = name
        self._kind = kind
        self._started = started or tracing.now()
        self._by_trace: dict[str, tuple[tracing.Span, list[T]]] = {}
        self._by_parent: dict[str, tuple[tracing.Span, list[T]] | None] = {}
        for item in items if tracing.is_recording() else ():
            written = traceparent(item)
            if written is None:
                continue
            if written not in self._by_parent:
                self._by_parent[written] = self._found(read_traceparent(written))
            found = self._by_parent[written]
            if found is not None:
                found[1].append(item)
                if linked is not None:
                    found[0].link(read_traceparent(linked(item)))

    def follow(self, traceparent: str | None) -> str | None:
        """What comes next for an item belongs to its span; where that is not recorded, to what the item belongs to."""
        found = None if traceparent is None else self._by_parent.get(traceparent)
        return traceparent if found is None else found[0].traceparent

    @property
    def only(self) -> TraceContext | None:
        """The context of the one span there is, if it is one."""
        return next(iter(self._by_trace.values()))[0].context if len(self._by_trace) == 1 else None

    def part(self, name: str, started: int, ended: int) -> None:
        """A span inside each of them."""
        for span, _ in self._by_trace.values():
            tracing.begin(name, span.context, started=started).end(at=ended)

    def end(
        self, describe: Callable[[Sequence[T]], Mapping[str, tracing.Attribute | None]], *, failed: bool = False
    ) -> None:
        """Record them, each with what there is to say of its items."""
        for span, items in self._by_trace.values():
            span.note(**describe(items))
            span.end(failed=failed)

    def _found(self, parent: TraceContext | None) -> tuple[tracing.Span, list[T]] | None:
        if parent is None or not parent.sampled:
            return None
        found = self._by_trace.get(parent.trace_id)
        if found is None:
            span = tracing.begin(self._name, parent, kind=self._kind, started=self._started)
            found = self._by_trace[parent.trace_id] = span, []
        else:
            found[0].link(parent)
        return found
