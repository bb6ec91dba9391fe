"""How long a ticket may take, by its priority, and when somebody is warned that its time runs out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.contracts.directory import TicketPriority


@dataclass(frozen=True)
class ServiceLevel:
    """`within`: from opening to its deadline. `warned`: so long before that deadline."""

    within: timedelta
    warned: timedelta


SERVICE_LEVELS = {
    TicketPriority.URGENT: ServiceLevel(timedelta(hours=4), timedelta(hours=1)),
    TicketPriority.HIGH: ServiceLevel(timedelta(hours=8), timedelta(hours=2)),
    TicketPriority.NORMAL: ServiceLevel(timedelta(hours=24), timedelta(hours=4)),
    TicketPriority.LOW: ServiceLevel(timedelta(hours=48), timedelta(hours=8)),
}
LONGEST_WARNING = max(level.warned for level in SERVICE_LEVELS.values())


def deadline_of(ticket: Mapping[str, Any]) -> datetime | None:
    """The deadline a ticket was told with, otherwise its opening and what its priority grants; `None` when nobody said
    enough.
    """
    told = ticket.get("deadline")
    if isinstance(told, datetime):
        return told
    opened, priority = ticket.get("opened_at"), ticket.get("priority")
    if not isinstance(opened, datetime) or priority is None:
        return None
    return opened + SERVICE_LEVELS[TicketPriority(priority)].within


def warned_from(ticket: Mapping[str, Any]) -> datetime | None:
    """From when on its deadline is near; one with a deadline and no priority is warned of as a normal one."""
    deadline = deadline_of(ticket)
    if deadline is None:
        return None
    return deadline - SERVICE_LEVELS[TicketPriority(ticket.get("priority") or TicketPriority.NORMAL)].warned
