"""SLA monitor: warn supervisors of open tickets whose time runs out, or has."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from common.contracts.facts import NotificationRequested
from common.contracts.service_levels import LONGEST_WARNING
from common.contracts.vocabulary import NotificationType
from common.kernel.clock import Clock
from scheduler.application.ask_once import AskOnce, Wish
from scheduler.application.ports import Firing, Line, Tally
from scheduler.application.reach import ReachStaff
from scheduler.application.sources import Row, Tickets
from scheduler.domain.obstacles import Obstacle
from scheduler.domain.sla import every, is_warned_of, minutes_left, warned_at

UNTOLD = "no_priority"


@dataclass(frozen=True)
class WatchDeadlines:
    """A line for each priority. When a ticket was warned of is kept under the ticket, so that neither a second
    scheduler nor a run after a crash warns again within the time.
    """

    tickets: Tickets
    reach: ReachStaff
    ask: AskOnce
    clock: Clock
    name: str = "sla-monitor"

    async def run(self, firing: Firing) -> Tally:
        now = self.clock.now()
        nobody = await self.reach(NotificationType.SLA_WARNING)
        found: Counter[str] = Counter()
        skipped: dict[str, Counter[str]] = {}
        async for page in self.tickets.due_by(now + LONGEST_WARNING):
            near = {row["_id"]: row for row in page if is_warned_of(row, now)}
            found.update(_priority(row) for row in near.values())
            reasons = dict.fromkeys(near, nobody) if nobody else await self._warn(firing, near, now)
            for identity, reason in reasons.items():
                skipped.setdefault(_priority(near[identity]), Counter())[reason] += 1
        return Tally.of([_line(priority, count, skipped.get(priority, Counter())) for priority, count in found.items()])

    async def _warn(self, firing: Firing, tickets: Mapping[str, Row], now: datetime) -> Mapping[str, str]:
        """Why nobody was warned of some of them."""
        at = warned_at(firing.due_at, now)
        wishes = {identity: _wish(row, at, now) for identity, row in tickets.items()}
        asked = await self.ask(firing, list(wishes.values()), at=at)
        return {identity: Obstacle.WARNED_LATELY for identity, wish in wishes.items() if wish.once not in asked}


def _wish(ticket: Row, at: datetime, now: datetime) -> Wish:
    once = f"sla-monitor.{ticket['_id']}"
    data = {"ticket_id": ticket["_id"], "minutes_left": minutes_left(ticket, now)}
    event_id = f"{once}.{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03}Z"
    request = NotificationRequested(event_id=event_id, occurred_at=now, type=NotificationType.SLA_WARNING, data=data)
    return Wish(once, request, every(ticket, at))


def _priority(ticket: Row) -> str:
    return str(ticket.get("priority") or UNTOLD)


def _line(priority: str, found: int, skipped: Counter[str]) -> Line:
    return Line(priority, found, found - skipped.total(), dict(skipped))
