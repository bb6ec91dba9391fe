"""Daily summary: tell managers and supervisors the day in figures."""

from dataclasses import dataclass
from datetime import tzinfo

from common.contracts.facts import NotificationRequested
from common.contracts.vocabulary import NotificationType
from common.kernel.clock import Clock
from common.rendering.periods import Period
from common.rendering.summaries import of_day
from scheduler.application.ask_once import AskOnce, Wish
from scheduler.application.ports import Firing, Tally
from scheduler.application.reach import ReachStaff
from scheduler.application.sources import Figures
from scheduler.domain.obstacles import Obstacle


@dataclass(frozen=True)
class SumUpDay:
    figures: Figures
    reach: ReachStaff
    ask: AskOnce
    clock: Clock
    zone: tzinfo
    name: str = "daily-summary"

    async def run(self, firing: Firing) -> Tally:
        skipped = await self._skipped(firing)
        return Tally(found=1, dispatched=0 if skipped else 1, skipped={skipped: 1} if skipped else {})

    async def _skipped(self, firing: Firing) -> str | None:
        """Why the day is not told, if it is not."""
        type_, now = NotificationType.DAILY_SUMMARY, self.clock.now()
        nobody = await self.reach(type_)
        if nobody is not None:
            return nobody
        begins, ends = Period(firing.day, firing.day).moments(self.zone)
        counted = await self.figures.of_tickets(begins, ends, now=now)
        once = firing.once(f"{self.name}.{firing.day.isoformat()}", ends)
        data = of_day(firing.day, counted)
        wish = Wish(once, NotificationRequested(event_id=once, occurred_at=now, type=type_, data=data))
        return None if await self.ask(firing, [wish]) else Obstacle.ALREADY
