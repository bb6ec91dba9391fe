"""What is wrong with what was looked at: pure."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kabar_cli.wording import clock, counted
from kabar_client import Alert, Notify, Queue, Sender

MAIL = "email"
LIMITS_THAT_STOP = ("hour", "day")
"""Reaching the limit of a minute is how pacing works; these hold a sender back for long."""


class Check(StrEnum):
    HEALTH = "health"
    QUOTA = "quota"
    LIMITS = "limits"


@dataclass(frozen=True)
class Finding:
    """`key` is the same as long as the same is wrong; `alert` says it to administrators, in their language."""

    check: Check
    key: str
    said: str
    alert: str


def findings(senders: Sequence[Sender], queue: Queue, alerts: Sequence[Alert], now: datetime) -> list[Finding]:
    """Everything that is wrong: what shows now, and what Kabar has raised an alert of beside it. A sender somebody
    paused on purpose is not wrong.
    """
    shown = [*_of_all(senders, queue), *(one for sender in senders for one in _of_sender(sender, now))]
    keys = {one.key for one in shown}
    return [*shown, *(_of_alert(one) for one in alerts if not keys & _SHOWN_AS.get(one.kind, _nothing)(one.about))]


def alert_key(wrong: Sequence[Finding], now: datetime) -> str:
    """The same for the same troubles within an hour, so that a monitor run every minute tells of them once."""
    troubles = hashlib.sha256("\n".join(sorted(one.key for one in wrong)).encode()).hexdigest()
    return f"monitor-{troubles[:16]}-{now:%Y%m%d%H}"


def way_left(senders: Sequence[Sender]) -> Notify | None:
    """How an alert can go out: by WhatsApp, else by e-mail; `None` while nobody can send."""
    if providers := providers_left(senders):
        return {"providers": providers}
    return {"channels": [MAIL]} if any(one.status == "available" for one in senders) else None


def providers_left(senders: Sequence[Sender]) -> list[str]:
    """Those of WhatsApp an alert can go out through."""
    able = (one.provider for one in senders if one.status == "available" and one.provider != MAIL)
    return list(dict.fromkeys(able))


def _of_all(senders: Sequence[Sender], queue: Queue) -> Iterator[Finding]:
    stuck = queue.queue_length > 0 and queue.estimated_time is None
    if providers_left(senders) and not stuck:
        return
    waiting = counted(queue.queue_length, "delivery waits", "deliveries wait")
    yield Finding(
        Check.HEALTH,
        "senders",
        f"no sender of WhatsApp can send; {waiting}",
        f"Tidak ada pengirim WhatsApp yang dapat mengirim; {queue.queue_length} pesan menunggu.",
    )


def _of_sender(sender: Sender, now: datetime) -> Iterator[Finding]:
    if sender.status == "out":
        yield Finding(
            Check.HEALTH,
            f"out:{sender.id}",
            f"{sender.id} is out: {sender.why}",
            f"Pengirim {sender.id} tidak dapat mengirim: {sender.why}.",
        )
    elif sender.device is not None and sender.device.connected is False:
        yield Finding(
            Check.HEALTH,
            f"device:{sender.id}",
            f"the device of {sender.id} is disconnected",
            f"Perangkat {sender.id} terputus.",
        )
    if sender.quota.remaining == 0:
        yield Finding(
            Check.QUOTA,
            f"quota:{sender.id}",
            f"{sender.id} has no quota left",
            f"Kuota pengirim {sender.id} habis.",
        )
    for window in LIMITS_THAT_STOP:
        usage = sender.usage.get(window)
        if usage is not None and 0 < usage.limit <= usage.used:
            yield Finding(
                Check.LIMITS,
                f"{window}:{sender.id}",
                f"{sender.id} has reached its limit of {usage.limit:,} per {window}; "
                f"the next is free at {clock(usage.reset_at, now)}",
                f"Pengirim {sender.id} mencapai batas {usage.limit} pesan per {_WINDOWS[window]}.",
            )


def _of_alert(alert: Alert) -> Finding:
    """Whether a quota is low is for Kabar's settings to say."""
    check = Check.QUOTA if alert.kind == "quota" else Check.HEALTH
    return Finding(check, f"alert:{alert.cause}", alert.summary, alert.summary)


def _nothing(_: str | None) -> set[str]:
    return set()


_SHOWN_AS: dict[str, Callable[[str | None], set[str]]] = {
    "device": lambda about: {f"out:{about}", f"device:{about}"},
    "circuit": lambda about: {f"out:{about}"},
    "quota": lambda about: {f"quota:{about}"},
}
"""Under which keys an alert of a kind shows already."""
_WINDOWS = {"hour": "jam", "day": "hari"}
