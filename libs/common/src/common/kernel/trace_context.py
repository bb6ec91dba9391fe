"""W3C trace context: which trace some work belongs to, as it travels in headers and waits in documents.

https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_FIRST_VERSION = "00"
_SAMPLED = 0x01


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span and its trace, both in hexadecimal; whether the trace is recorded was decided where it began."""

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def read_traceparent(written: object) -> TraceContext | None:
    """What a `traceparent` says; `None` for anything that is none, which then counts as not being there.

    A later version may say more behind what the first one says; the first one may not.
    """
    found = _TRACEPARENT.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if more is not None and version == _FIRST_VERSION:
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace a stored context names, if there is one."""
    context = read_traceparent(traceparent)
    return None if context is None else context.trace_id
