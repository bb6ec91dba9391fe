"""When something is due: a cron expression read in a time zone.

An expression for certain hours names times of day: one that a clock put forward leaves out comes right after the gap,
and of one that a clock put back tells twice the first counts. An expression for every hour (`*/15 * * * *`) names none
and follows time as it passes: it neither stops for the hour that is told twice nor hurries after a gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

PUT_BACK = timedelta(hours=3)
"""No clock is put back by more."""
_ANY_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - a local time, told by no clock


@dataclass(frozen=True)
class Schedule:
    """`expression` has five fields, or six with the seconds first."""

    expression: str
    zone: ZoneInfo

    def __post_init__(self) -> None:
        check(self.expression)

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """The moments due after one moment, up to and with another; UTC, in their order, each once."""
        last = self._local(until) + PUT_BACK
        found: set[datetime] = set()
        for local, moments in self._from(after):
            if local > last:
                break
            found.update(moments)
        return sorted(one for one in found if after < one <= until)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first moment due after another; `None` when none comes in fifty years."""
        found: tuple[datetime, datetime] | None = None
        for local, moments in self._from(moment):
            if found is not None and local > found[1] + PUT_BACK:
                break
            for one in moments:
                if one > moment and (found is None or one < found[0]):
                    found = (one, local if found is None else found[1])
        return None if found is None else found[0]

    def day(self, moment: datetime) -> str:
        """The local date of a moment, like 2025-11-15."""
        return self._local(moment).date().isoformat()

    def _from(self, moment: datetime) -> Iterator[tuple[datetime, list[datetime]]]:
        """Every local time of the expression from a little before a moment on, with the moments it is due at."""
        for local in CronSim(self.expression, self._local(moment) - PUT_BACK):
            yield local, self._moments(local)

    def _moments(self, local: datetime) -> list[datetime]:
        first = local.replace(tzinfo=self.zone).astimezone(UTC)
        if self._local(first) != local:  # no clock tells it
            return [] if self._follows_time else [self._end_of_gap(local)]
        second = local.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        return [first, second] if self._follows_time and second != first else [first]

    def _end_of_gap(self, local: datetime) -> datetime:
        """The first moment after the clock was put forward over a local time."""
        # Read with the offset from before the gap it lies behind it, and with the one from after it, before it.
        late = local.replace(tzinfo=self.zone).astimezone(UTC)
        early = local.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        while late - early > timedelta(seconds=1):
            middle = early + (late - early) / 2
            early, late = (early, middle) if self._local(middle) > local else (middle, late)
        return late.replace(microsecond=0)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None, fold=0)

    @property
    def _follows_time(self) -> bool:
        return self.expression.split()[-4] == "*"


def check(expression: str) -> None:
    """Raise `ValueError` saying what is wrong with it."""
    try:
        if next(CronSim(expression, _ANY_MOMENT), None) is None:
            raise ValueError("no such date ever comes")
    except CronSimError as error:
        raise ValueError(f"not a cron expression, like 0 8 * * *: {str(error).lower()}") from error
