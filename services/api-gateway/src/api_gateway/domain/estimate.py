"""When a sender that obeys its pacing and limits is through with so many messages."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True)
class Pace:
    """Seconds between two sends and the most of each window; 0 is off."""

    gap: float
    per_minute: int
    per_hour: int
    per_day: int


def offset(position: int, pace: Pace) -> float:
    """Seconds from the first send to the one at `position` (from 0), as early as pacing and limits allow.

    Every window repeats the pattern of the one below it: after `limit` sends the next one waits for the window to
    end, or for those sends themselves when the windows below make them slower than that.
    """

    def at(number: int, level: int) -> float:
        if level < 0:
            return number * pace.gap
        limit, seconds = windows[level]
        if not limit:
            return at(number, level - 1)
        rounds, rest = divmod(number, limit)
        return rounds * max(seconds, at(limit, level - 1)) + at(rest, level - 1) if rounds else at(rest, level - 1)

    windows = ((pace.per_minute, MINUTE), (pace.per_hour, HOUR), (pace.per_day, DAY))
    return at(position, len(windows) - 1)


def duration(messages: int, senders: int, pace: Pace) -> timedelta:
    """How long it takes from the first send to the last when `senders` share the work."""
    last = -(-messages // senders) - 1
    return timedelta(seconds=min(offset(max(last, 0), pace), 100 * 365 * DAY))


def finish(*, now: datetime, send_at: datetime | None, ahead: int, own: int, senders: int, pace: Pace) -> datetime:
    """When the last of `own` messages goes out, with `ahead` waiting before them."""
    done = now + duration(ahead + own, senders, pace)
    if send_at is None:
        return done
    return max(done, send_at + duration(own, senders, pace))
