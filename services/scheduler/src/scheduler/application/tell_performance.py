"""Weekly performance: tell each technician what they did in the week before."""

from collections import Counter
from dataclasses import dataclass
from datetime import tzinfo

from common.contracts.facts import NotificationRequested
from common.contracts.vocabulary import NotificationType
from common.kernel.clock import Clock
from common.rendering.periods import last_week
from common.rendering.summaries import of_technician
from scheduler.application.ask_once import AskOnce, Wish
from scheduler.application.ports import Firing, Tally
from scheduler.application.reach import Reach
from scheduler.application.sources import Directory, Figures
from scheduler.domain.obstacles import Obstacle

TYPE = NotificationType.TECHNICIAN_PERFORMANCE


@dataclass(frozen=True)
class TellPerformance:
    """Monday to Sunday of the week before the firing's day; those without a ticket are told so too."""

    figures: Figures
    directory: Directory
    reach: Reach
    ask: AskOnce
    clock: Clock
    zone: tzinfo
    name: str = "weekly-performance"

    async def run(self, firing: Firing) -> Tally:
        week = last_week(firing.day)
        technicians = {row["_id"]: row for row in await self.directory.technicians()}
        figures = await self.figures.of_technicians(*week.moments(self.zone))
        unreached = await self.reach(TYPE, technicians)
        wishes = [
            self._wish(f"{week.first:%G-W%V}", identity, of_technician(week, figures.get(identity)))
            for identity in technicians
            if identity not in unreached
        ]
        asked = await self.ask(firing, wishes)
        skipped: Counter[str] = Counter(unreached.values())
        if already := len(wishes) - len(asked):
            skipped[Obstacle.ALREADY] += already
        return Tally(len(technicians), len(asked), dict(skipped))

    def _wish(self, week: str, identity: str, told: dict[str, object]) -> Wish:
        once = f"{self.name}.{identity}.{week}"
        data = {"technician_id": identity, **told}
        return Wish(once, NotificationRequested(event_id=once, occurred_at=self.clock.now(), type=TYPE, data=data))
