"""Which of the firings that were not looked at in time are still run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_MISSED = 100
"""So many of the latest missed firings are written down, however long no scheduler ran."""
LONGEST_LOOK_BACK = timedelta(days=35)
"""Firings from before are forgotten; nothing is due so rarely that it would not be seen."""


@dataclass(frozen=True)
class CaughtUp:
    """`run` is the one firing to run, if any; `missed` those that are not."""

    run: datetime | None
    missed: Sequence[datetime]


def catch_up(due: Sequence[datetime], *, now: datetime, oldest: timedelta) -> CaughtUp:
    """However many are due, only the newest is run, and only while it is not too old."""
    if due and now - due[-1] <= oldest:
        return CaughtUp(due[-1], due[-1 - MOST_MISSED : -1])
    return CaughtUp(None, due[-MOST_MISSED:])
