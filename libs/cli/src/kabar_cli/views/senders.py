"""Senders and the queue at a glance."""

from datetime import datetime

from kabar_cli.tables import Column, Columns, Rows
from kabar_cli.wording import clock, counted, span
from kabar_client import Queue, Sender

WINDOWS = ("minute", "hour", "day")


def senders_table(senders: list[Sender]) -> Rows:
    columns: Columns = [
        "sender",
        "status",
        "device",
        "circuit",
        *(Column(one, right=True) for one in ("quota", *WINDOWS)),
    ]
    return Rows(columns, [_sender(one) for one in senders])


def queue_table(queue: Queue) -> Rows:
    return Rows(["priority", Column("waiting", right=True)], [(k, f"{n:,}") for k, n in queue.by_priority.items()])


def queue_line(queue: Queue, now: datetime) -> str:
    """Length, age and estimate in one line."""
    if not queue.queue_length:
        return f"Nothing waits, {queue.sending:,} being sent."
    retry = f" ({queue.waiting_for_retry:,} for a retry)" if queue.waiting_for_retry else ""
    parts = [f"{queue.queue_length:,} waiting{retry}", f"{queue.sending:,} being sent"]
    if queue.oldest_seconds is not None:
        parts.append(f"the oldest for {span(queue.oldest_seconds)}")
    if queue.estimated_time is None:
        parts.append("no sender can take them")
    else:
        parts.append(f"through in {span(queue.estimated_time)}, at {clock(queue.estimated_finish, now)}")
    return f"{', '.join(parts)}."


def dead_line(queue: Queue) -> str:
    if not queue.failed_messages:
        return "No dead WhatsApp delivery waits for a person."
    waiting = counted(queue.failed_messages, "dead WhatsApp delivery waits", "dead WhatsApp deliveries wait")
    return f"{waiting} for a person: kabar dead list"


def _sender(sender: Sender) -> tuple[object, ...]:
    usage = [sender.usage.get(window) for window in WINDOWS]
    return (
        sender.id,
        sender.status,
        _device(sender),
        sender.circuit.state,
        _quota(sender),
        *("-" if one is None else f"{one.used:,}/{one.limit or '-'}" for one in usage),
    )


def _device(sender: Sender) -> str | None:
    """What the provider says of the telephone; the gateway's silence goes before it."""
    if not sender.gateway_alive:
        return "silent"
    if sender.device is None or sender.device.connected is None:
        return None
    return "connected" if sender.device.connected else "disconnected"


def _quota(sender: Sender) -> str | None:
    remaining, total = sender.quota.remaining, sender.quota.total
    if remaining is None:
        return None
    return f"{remaining:,}/{total:,}" if total else f"{remaining:,}"
