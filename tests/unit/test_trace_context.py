"""W3C trace context: what a `traceparent` says, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.kernel.trace_context import TraceContext, read_traceparent, trace_id_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
WRITTEN = f"00-{TRACE}-{SPAN}-01"


def test_what_is_written_is_read() -> None:
    assert read_traceparent(WRITTEN) == TraceContext(TRACE, SPAN, sampled=True)
    assert read_traceparent(f"00-{TRACE}-{SPAN}-00") == TraceContext(TRACE, SPAN, sampled=False)
    assert trace_id_of(WRITTEN) == TRACE


@pytest.mark.parametrize(("flags", "sampled"), [("03", True), ("fe", False), ("ff", True)])
def test_of_the_flags_only_the_one_for_sampling_counts(flags: str, *, sampled: bool) -> None:
    context = read_traceparent(f"00-{TRACE}-{SPAN}-{flags}")
    assert context is not None
    assert context.sampled is sampled


@given(
    some.builds(
        TraceContext,
        some.integers(1, 2**128 - 1).map("{:032x}".format),
        some.integers(1, 2**64 - 1).map("{:016x}".format),
        some.booleans(),
    )
)
def test_every_context_survives_being_stored(context: TraceContext) -> None:
    assert read_traceparent(context.traceparent) == context


@pytest.mark.parametrize(
    "written",
    [
        None,
        7,
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "",
        "00",
        WRITTEN.upper(),
        f" {WRITTEN}",
        f"{WRITTEN}\n",
        f"{WRITTEN}-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN[:-1]}g-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"01-{TRACE}-{SPAN}-01more",
        f"00_{TRACE}_{SPAN}_01",
    ],
)
def test_anything_else_counts_as_not_being_there(written: object) -> None:
    assert read_traceparent(written) is None


@given(some.text())
def test_no_text_is_too_odd_to_be_ignored(written: str) -> None:
    read_traceparent(written)


def test_a_later_version_may_say_more() -> None:
    assert read_traceparent(f"01-{TRACE}-{SPAN}-01-more") == TraceContext(TRACE, SPAN, sampled=True)


def test_nothing_names_no_trace() -> None:
    assert trace_id_of(None) is None
    assert trace_id_of("nonsense") is None
