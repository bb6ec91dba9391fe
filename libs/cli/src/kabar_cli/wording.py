"""Moments, spans, numbers and texts as people read them; pure."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime


def clock(moment: datetime | None, now: datetime) -> str:
    """The time of day where `now` is; with the date when that is another one."""
    if moment is None:
        return "-"
    local = moment.astimezone(now.tzinfo)
    return f"{local:%H:%M:%S}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"


def span(seconds: float) -> str:
    """`8 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    whole = max(0, round(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86_400
    if whole < 60:
        return f"{whole} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def masked(recipient: str) -> str:
    """The first four and the last three characters, of an e-mail address the first one, as Kabar shows them."""
    number, at, suffix = recipient.strip().partition("@")
    if at and not number[:1].isdigit():
        return f"{number[:1]}***@{suffix}"
    hidden = "*" * len(number) if len(number) <= 7 else f"{number[:4]}{'*' * (len(number) - 7)}{number[-3:]}"
    return f"{hidden}{at}{suffix}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 delivery`, `1,204 deliveries`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def reasons(skipped: Mapping[str, int]) -> str:
    """`12 paid, 3 without a number`."""
    return ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in skipped.items()) or "-"


def harmless(text: str) -> str:
    """Without what could steer a terminal: texts come from providers and customers, too."""
    return "".join(
        one if one == "\n" or unicodedata.category(one) not in {"Cc", "Cf"} else "\N{MIDDLE DOT}" for one in text
    )
