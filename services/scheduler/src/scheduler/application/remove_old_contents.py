"""The job `retention`: what was said to people, and who they were, is not kept longer than is wanted."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from common.kernel.clock import Clock
from common.telemetry.logs import logger
from scheduler.application.ports import Firing, Line, Tally

log = logger()


@dataclass(frozen=True)
class Removed:
    """A batch: how many documents of a collection were looked at, how many of them lost their contents or went, and
    how many were left, by reason.
    """

    collection: str
    found: int = 0
    removed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


class OldContents(Protocol):
    """Everything with contents, batch by batch, the oldest first. What a crash left is found by the next run."""

    def remove(self, before: datetime, *, now: datetime, dry_run: bool) -> AsyncIterator[Removed]:
        """Remove what is over and from before a moment; a dry run says what it would."""
        ...


@dataclass(frozen=True)
class RemoveOldContents:
    """`keep_days` of 0 keeps everything. The day a person chooses for a run does not matter: nothing is removed that
    is not that old now.
    """

    contents: OldContents
    clock: Clock
    keep_days: int
    name: str = "retention"

    async def run(self, firing: Firing) -> Tally:
        if self.keep_days == 0:
            return Tally()
        now = self.clock.now()
        lines: dict[str, Line] = {}
        async for batch in self.contents.remove(now - timedelta(days=self.keep_days), now=now, dry_run=firing.dry_run):
            line = lines.get(batch.collection, Line(batch.collection))
            lines[batch.collection] = Line(
                line.name,
                line.found + batch.found,
                line.dispatched + batch.removed,
                Counter(line.skipped) + batch.skipped,
            )
        log.info("contents.removed", dry_run=firing.dry_run, **{line.name: line.dispatched for line in lines.values()})
        return Tally.of(list(lines.values()))
