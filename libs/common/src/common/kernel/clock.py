"""Time as an argument, so that what depends on it can be tested without waiting."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time: aware, UTC, whole milliseconds (what MongoDB keeps)."""

    def now(self) -> datetime: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return to_milliseconds(datetime.now(UTC))


def to_milliseconds(moment: datetime) -> datetime:
    """Cut to the precision MongoDB keeps, so that a value read back equals the one written."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
