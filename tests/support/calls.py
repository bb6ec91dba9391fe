"""What something costs, without a clock."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """What Python does, in calls, which are as many on every machine."""
    calls: Counter[str] = Counter()

    def count(_frame: FrameType, event: str, _called: object) -> None:
        calls[event] += 1

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)
