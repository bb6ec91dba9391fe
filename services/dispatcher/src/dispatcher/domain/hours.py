"""When a message may go out, and how what has to wait for it stands in line afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from common.contracts.documents import DeliveryDocument, Hours, NotificationDocument
from common.contracts.vocabulary import DeliveryStatus
from dispatcher.domain.change import Change

NIGHTS_PER_WAIT = 1_000
"""Time in quiet hours counts as a thousandth of waiting: whoever was first stays first, and nobody ages overnight."""
LONGEST_GAP_DAYS = 3
"""Hours begin every day; a day on which the clock leaps over them may not have them."""


@dataclass(frozen=True)
class Departure:
    """When what is planned now may go: `wake_at` is there when that is later, `why` when the hours are the reason.

    `queued_at` is its age mark in line.
    """

    queued_at: datetime
    wake_at: datetime | None = None
    why: str | None = None


def departure(notification: NotificationDocument, now: datetime, zone: tzinfo) -> Departure:
    """At its own time, or once the hours begin that it comes before."""
    send_at, hours = notification["send_at"], notification.get("hours")
    later = send_at is not None and send_at > now
    starts = send_at if send_at is not None and later else now
    queued_at = starts if later else notification["created_at"]
    opens = None if hours is None else opens_at(hours, starts, zone)
    if hours is None or opens is None:
        return Departure(queued_at, starts if later else None)
    return Departure(lined_up_at(queued_at, opens), min(opens, notification["expires_at"]), quiet_until(hours))


def opens_at(hours: Hours, at: datetime, zone: tzinfo) -> datetime | None:
    """When a moment outside of the hours ends in them, by the clock on the wall of `zone`; `None` inside of them.

    A time the clock leaps over in spring comes as much later as it leaps, one that comes twice in autumn counts twice.
    Hours that end when they begin are the whole day.
    """
    if within(hours, at, zone):
        return None
    following = (moment for moment in _beginnings(hours, at, zone) if moment > at and within(hours, moment, zone))
    return min(following, default=None)


def within(hours: Hours, at: datetime, zone: tzinfo) -> bool:
    """Whether it is during the hours: from the first minute until just before the last."""
    begins, ends = time.fromisoformat(hours["begins"]), time.fromisoformat(hours["ends"])
    on_the_wall = at.astimezone(zone).time()
    if begins < ends:
        return begins <= on_the_wall < ends
    return begins == ends or on_the_wall >= begins or on_the_wall < ends


def quiet_until(hours: Hours) -> str:
    """Why something waits."""
    return f"quiet hours until {hours['begins']}"


def lined_up_at(queued_at: datetime, opens: datetime) -> datetime:
    """The place in line of what had been waiting since `queued_at`, once the hours begin: the order stays."""
    return opens - max(opens - queued_at, timedelta()) / NIGHTS_PER_WAIT


def put_off(delivery: DeliveryDocument, at: datetime, zone: tzinfo) -> Change | None:
    """Out of its lane until its hours begin; `None` when it may go now."""
    hours = delivery.get("hours")
    opens = None if hours is None else opens_at(hours, at, zone)
    if hours is None or opens is None:
        return None
    return Change(
        DeliveryStatus.SCHEDULED,
        quiet_until(hours),
        wake_at=min(opens, delivery["expires_at"]),
        fields={"queued_at": lined_up_at(delivery["queued_at"], opens)},
    )


def _beginnings(hours: Hours, at: datetime, zone: tzinfo) -> Iterator[datetime]:
    today = at.astimezone(zone).date()
    begins = time.fromisoformat(hours["begins"])
    for days in range(LONGEST_GAP_DAYS):
        for fold in (0, 1):
            moment = datetime.combine(today + timedelta(days=days), begins, zone).replace(fold=fold)
            yield moment.astimezone(UTC)
