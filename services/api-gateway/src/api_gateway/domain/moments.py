"""Moments as people write them."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from api_gateway.domain.refusals import invalid
from common.kernel.clock import to_milliseconds

LATENESS = timedelta(minutes=1)
HORIZON = timedelta(days=366)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def moment(field: str, text: str, zone: tzinfo) -> datetime:
    """An ISO 8601 moment; without an offset it is in `zone`. Raises `Refused` naming the field."""
    try:
        written = datetime.fromisoformat(text)
        aware = written if written.tzinfo is not None else written.replace(tzinfo=zone)
        return to_milliseconds(aware.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise invalid(field, "not an ISO 8601 moment, like 2025-11-15T09:00:00+07:00") from error


def day(field: str, text: str) -> date:
    """A date like 2025-11-15. Raises `Refused` naming the field."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # no such day
    raise invalid(field, "not a date, like 2025-11-15")


def span(since: str | None, until: str | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """From a moment on and up to another, either of them open. Raises `Refused` naming the field."""
    begins = None if since is None else moment("since", since, zone)
    ends = None if until is None else moment("until", until, zone)
    if begins is not None and ends is not None and ends <= begins:
        raise invalid("until", "must be after since; swap the two, or leave one out")
    return begins, ends


def send_time(text: str | None, *, now: datetime, zone: tzinfo) -> datetime | None:
    """When to send; `None` is now. A moment that has just passed is now, too."""
    if text is None:
        return None
    at = moment("send_at", text, zone)
    if at > now + HORIZON:
        raise invalid("send_at", "at most a year ahead")
    if at > now:
        return at
    if now - at <= LATENESS:
        return None
    raise invalid("send_at", "is in the past; leave it out to send now")
