"""How long a delivery waits after a round in which every provider failed it."""

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class RetryPlan:
    """2 s, 4 s, 8 s (each up to a tenth longer, so that many do not come back at once), then once after 5 min."""

    most: int = 3
    first: float = 2.0
    multiplier: float = 2.0
    last: float = 300.0

    def wait(self, retries: int) -> timedelta | None:
        """The wait before the next round when `retries` were made; `None` when there is none left."""
        if retries > self.most:
            return None
        seconds = self.last if retries == self.most else self.first * self.multiplier**retries
        return timedelta(seconds=seconds * random.uniform(1.0, 1.1))  # noqa: S311 - spreading is no secret
