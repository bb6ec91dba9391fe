"""How full the disk under MongoDB is: a database whose disk is full ends."""

from dataclasses import dataclass
from typing import Protocol

from scheduler.metrics import Metrics


class Storage(Protocol):
    async def space(self) -> tuple[int, int]:
        """Bytes used, and bytes there are."""
        ...


@dataclass(frozen=True)
class MeasureSpace:
    storage: Storage
    metrics: Metrics

    async def __call__(self) -> None:
        used, size = await self.storage.space()
        self.metrics.space_used.set(used)
        self.metrics.space.set(size)
