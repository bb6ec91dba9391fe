"""How long a delivery waits after a round in which every provider failed it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

SPREAD = 0.1
"""Backoffs are up to a tenth longer, so that many do not come back at once."""


@dataclass(frozen=True)
class RetryPlan:
    """2 s, 4 s, 8 s, then once after 5 min before giving up. `chance` is between 0 and 1.

    The last wait is exact, so that people can be told when it ends; its lane keeps many that end then from being sent
    at once. Without one (`last` is 0) nothing follows the backoffs.
    """

    most: int = 3
    first: float = 2.0
    multiplier: float = 2.0
    last: float = 300.0
    chance: Callable[[], float] = random.random

    def wait(self, retries: int) -> timedelta | None:
        """The wait before the next round when `retries` were made; `None` when there is none left."""
        if retries < self.most:
            return timedelta(seconds=self.first * self.multiplier**retries * (1.0 + SPREAD * self.chance()))
        return timedelta(seconds=self.last) if self.is_last(retries) else None

    def is_last(self, retries: int) -> bool:
        """Whether the round that follows so many retries is the one before giving up."""
        return retries == self.most and self.last > 0
