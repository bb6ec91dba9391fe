"""Dunning: remind of invoices that are due soon, and of overdue ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from common.contracts.facts import NotificationRequested
from common.kernel.clock import Clock
from scheduler.application.ask_once import AskOnce, Wish
from scheduler.application.ports import Firing, Line, Tally
from scheduler.application.reach import Reach
from scheduler.application.sources import Directory, Invoices, Row
from scheduler.domain.dunning import STAGES, Stage
from scheduler.domain.obstacles import Obstacle


@dataclass(frozen=True)
class RemindOfInvoices:
    """One notification for each invoice and stage, in memory for one page of invoices."""

    invoices: Invoices
    directory: Directory
    reach: Reach
    ask: AskOnce
    clock: Clock
    name: str = "dunning"

    async def run(self, firing: Firing) -> Tally:
        return Tally.of([await self._stage(stage, firing) for stage in STAGES])

    async def _stage(self, stage: Stage, firing: Firing) -> Line:
        due = stage.due_date(firing.day)
        skipped = Counter(await self.invoices.settled(due))
        found = skipped.total()
        async for page in self.invoices.unpaid(due):
            found += len(page)
            skipped += await self._remind(stage, firing, page)
        return Line(stage.name, found, found - skipped.total(), dict(skipped))

    async def _remind(self, stage: Stage, firing: Firing, page: Sequence[Row]) -> Counter[str]:
        """Answers how many were not reminded, by reason."""
        named = {row["customer_id"] for row in page if row.get("customer_id")}
        customers = await self.directory.many("customers", named)
        people = {row["_id"]: customers.get(row.get("customer_id", "")) for row in page}
        unreached = await self.reach(stage.type, people)
        wishes = [self._wish(stage, firing, row["_id"]) for row in page if row["_id"] not in unreached]
        asked = await self.ask(firing, wishes)
        skipped: Counter[str] = Counter(unreached.values())
        if already := len(wishes) - len(asked):
            skipped[Obstacle.ALREADY] += already
        return skipped

    def _wish(self, stage: Stage, firing: Firing, invoice_id: str) -> Wish:
        once = stage.once(invoice_id, firing.day)
        data = stage.told_with(invoice_id)
        return Wish(
            once, NotificationRequested(event_id=once, occurred_at=self.clock.now(), type=stage.type, data=data)
        )
