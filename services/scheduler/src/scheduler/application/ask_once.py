"""Ask for notifications, each once, however often and by whomever its job is run.

What a job wants is stored first, under what must not be wanted twice: whoever stores it has asked for it. Handing it
over to RabbitMQ follows, and is repeated until it is confirmed, under the same `event_id`, so that one notification
comes of it. So a crash anywhere loses and doubles nothing, and a job is done although RabbitMQ is away.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from common.contracts.facts import NotificationRequested
from common.kernel.clock import Clock
from scheduler.domain.firing import Firing

BATCH = 500
LEASE = timedelta(seconds=10)
"""How long what is handed over may take until somebody else does it."""


@dataclass(frozen=True)
class Wish:
    """A notification that is wanted once; with `every`, again after so long."""

    once: str
    request: NotificationRequested
    every: timedelta | None = None


@dataclass(frozen=True)
class Taken:
    """Requests this process alone hands over for a while, by their `once`; `mark` tells them from others'."""

    mark: str
    requests: Mapping[str, NotificationRequested] = field(default_factory=dict)


class Requests(Protocol):
    """What jobs asked for, kept."""

    async def keep(self, wishes: Sequence[Wish], *, by: str, at: datetime, now: datetime) -> Collection[str]:
        """Store what nobody asked for; answers the `once` of what was asked for by this one, now or before. `at`: the
        moment it counts as asked for; `now`: when it is to be handed over.
        """
        ...

    async def known(self, wishes: Sequence[Wish], *, at: datetime) -> Collection[str]:
        """The `once` of those that were asked for already."""
        ...

    async def take(self, now: datetime, until: datetime, limit: int) -> Taken: ...

    async def handed_over(self, taken: Taken) -> None: ...


class Bus(Protocol):
    async def __call__(self, requests: Sequence[NotificationRequested]) -> None:
        """Raises `Transient` when RabbitMQ does not take all of them."""
        ...


@dataclass(frozen=True)
class AskOnce:
    requests: Requests
    clock: Clock

    async def __call__(self, firing: Firing, wishes: Sequence[Wish], *, at: datetime | None = None) -> Collection[str]:
        """The `once` of those that are dispatched by this run; the others were asked for before.

        A dry run changes nothing. `at`: when they count as asked for, if that is not when the firing was due.
        """
        if not wishes:
            return ()
        at = at or firing.due_at
        if firing.dry_run:
            known = await self.requests.known(wishes, at=at)
            return {wish.once for wish in wishes} - set(known)
        by = firing.run_id or firing.identity
        return await self.requests.keep(wishes, by=by, at=at, now=self.clock.now())


@dataclass(frozen=True)
class HandOverRequests:
    requests: Requests
    bus: Bus
    clock: Clock

    async def __call__(self) -> bool:
        """`True` while there may be more."""
        now = self.clock.now()
        taken = await self.requests.take(now, now + LEASE, BATCH)
        if taken.requests:
            await self.bus(list(taken.requests.values()))
            await self.requests.handed_over(taken)
        return len(taken.requests) == BATCH
