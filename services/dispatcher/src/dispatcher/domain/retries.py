"""How long a delivery waits after a round in which every provider failed it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

SPREAD = 0.1
"""Waits are up to a tenth longer, so that many do not come back at once."""


@dataclass(frozen=True)
class RetryPlan:
    """2 s, 4 s, 8 s, then once after 5 min. `chance` is between 0 and 1."""

    most: int = 3
    first: float = 2.0
    multiplier: float = 2.0
    last: float = 300.0
    chance: Callable[[], float] = random.random

    def wait(self, retries: int) -> timedelta | None:
        """The wait before the next round when `retries` were made; `None` when there is none left."""
        if retries > self.most:
            return None
        seconds = self.last if retries == self.most else self.first * self.multiplier**retries
        return timedelta(seconds=seconds * (1.0 + SPREAD * self.chance()))
