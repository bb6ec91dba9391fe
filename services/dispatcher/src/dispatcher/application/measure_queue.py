"""How long the lanes are and how old their heads, for the metrics."""

import time
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Protocol

from common.contracts.vocabulary import Channel, Priority
from dispatcher.application.lookout import Lookout
from dispatcher.domain import circuit
from dispatcher.metrics import Metrics

SHARE_OF_TIME = 0.05
"""Counting grows with the queue, so it is done the less often the longer it takes."""


class QueueLengths(Protocol):
    async def by_channel_and_rank(self) -> dict[tuple[Channel, int], tuple[int, datetime]]:
        """Waiting deliveries and the oldest one's age mark, where there are any."""
        ...


@dataclass
class MeasureQueue:
    lengths: QueueLengths
    lookout: Lookout
    metrics: Metrics
    _not_before: float = 0.0

    async def __call__(self) -> None:
        now = self.lookout.now()
        self.metrics.available.clear()  # what says of one that is gone that it is not available says so for ever
        for sender in self.lookout.senders():
            if not circuit.forgotten(sender, now):
                self.metrics.available.labels(sender["_id"]).set(circuit.available(sender, now))
        started = time.monotonic()
        if started < self._not_before:
            return
        lengths = await self.lengths.by_channel_and_rank()
        for channel, priority in product(Channel, Priority):
            count, oldest = lengths.get((channel, priority.rank), (0, now))
            self.metrics.queued.labels(channel, priority).set(count)
            self.metrics.oldest.labels(channel, priority).set(max((now - oldest).total_seconds(), 0.0))
        took = time.monotonic() - started
        self._not_before = started + took / SHARE_OF_TIME
