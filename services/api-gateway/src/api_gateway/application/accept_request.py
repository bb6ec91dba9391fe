"""Accept what another service asks for on the bus, once, and when it comes too early as soon as that is possible."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from api_gateway.application.accept_notification import AcceptNotification, Turn
from api_gateway.application.once import Once, Replayed
from api_gateway.application.ports import Answer
from api_gateway.domain.access import SERVICE, Caller
from api_gateway.domain.refusals import Code, Conflicting, Refused, Unavailable, Unknown, invalid
from api_gateway.domain.submission import Submission
from common.kernel.clock import Clock
from common.kernel.failures import Permanent, Transient
from common.telemetry.logs import logger

BUS = Caller("bus", SERVICE)
"""Whoever may publish on the bus may ask for anything."""
FIRST_LOOK = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=5)
LEASE = timedelta(seconds=10)
"""How long a request that was published again may take before it is published once more."""
BATCH = 100
MOST_IN_VAIN = 6
"""How often one is published that nobody keeps or drops: a minute and its envelope is in the queue all the same."""
log = logger()


@dataclass(frozen=True)
class EarlyRequest:
    """A request that speaks of what nobody told so far, to be published as it came.

    `message_id` and `replay` are its envelope's: parked in the end it is known to be what was parked before, and
    `traceparent` tells in which trace it came.
    `published` counts how often it was published since anybody kept it.
    """

    event_id: str
    message_id: str
    replay: str | None
    body: str
    published: int = 0
    traceparent: str | None = None


@dataclass(frozen=True)
class Waiting:
    """For what a request waits, since when, when it is tried again, and until when that goes on."""

    reason: str
    first_at: datetime
    due_at: datetime
    deadline: datetime


class EarlyRequests(Protocol):
    async def first_at(self, event_id: str) -> datetime | None:
        """Since when it waits, if it does."""

    async def keep(self, request: EarlyRequest, waiting: Waiting) -> None:
        """Store it durably, or what it waits for now."""

    async def drop(self, event_id: str) -> None:
        """Forget it, if it is there."""

    async def give_up(self, event_id: str, published: int) -> None:
        """Forget it, unless somebody kept it anew since it was published so often."""

    async def due(self, now: datetime, lease_until: datetime, limit: int) -> list[EarlyRequest]:
        """Some of those due, for this process alone until the lease ends; then they are due again, unless they are
        dropped or kept anew.
        """


@dataclass(frozen=True)
class Request:
    """`came` is the event as it came, to be published again; `fingerprint` is the same for the same request."""

    came: EarlyRequest
    fingerprint: str
    submission: Submission


@dataclass(frozen=True)
class AcceptRequest:
    """`patience`: how long what nobody told so far may take to be told."""

    accept: AcceptNotification
    once: Once
    early: EarlyRequests
    clock: Clock
    patience: timedelta

    async def __call__(self, request: Request) -> None:
        """Accepted once this returns, or kept to be tried again; raises `Permanent` naming the field at fault, and
        `Transient` while it cannot be told.
        """
        event_id = request.came.event_id
        key = hashlib.sha256(f"bus\n{event_id}".encode()).hexdigest()

        async def act(turn: Turn) -> Answer:
            if request.submission.direct:
                raise invalid("direct", "nobody waits for an answer on the bus; leave it out")
            accepted = await self.accept(request.submission, BUS, turn)
            return Answer(202, b"", f"/api/notifications/{accepted.notification['_id']}")

        try:
            done = await self.once(key, request.fingerprint, act)
        except Unknown as refused:
            await self._keep(request, refused)
            return
        except Unavailable as refused:
            raise Transient(refused.error) from refused
        except Conflicting as refused:
            if refused.code is not Code.IDEMPOTENCY_CONFLICT:  # else somebody is at it
                raise await self._parked(request, refused.error) from refused
            raise Transient(refused.error) from refused
        except Refused as refused:
            named = f"to: {refused.error}" if "rejected" in refused.details else refused.error
            raise await self._parked(request, named) from refused
        await self.early.drop(event_id)
        if not isinstance(done, Replayed):
            log.info("request.accepted", event_id=event_id, location=done.location)

    async def _keep(self, request: Request, refused: Unknown) -> None:
        now = self.clock.now()
        came = request.came
        before = await self.early.first_at(came.event_id)
        first_at = before or now
        deadline = first_at + self.patience
        if now >= deadline:
            waited = f"{(now - first_at).total_seconds():.0f} s"
            raise await self._parked(request, f"{refused.error} (waited {waited} for it)") from refused
        due_at = min(now + max(FIRST_LOOK, min(now - first_at, LONGEST_PAUSE)), deadline)
        await self.early.keep(came, Waiting(refused.error, first_at, due_at, deadline))
        if before is None:
            log.info("request.early", event_id=came.event_id, reason=refused.error, deadline=deadline.isoformat())

    async def _parked(self, request: Request, reason: str) -> Permanent:
        await self.early.drop(request.came.event_id)
        return Permanent(reason)


@dataclass(frozen=True)
class RetryEarlyRequests:
    """Publish again what came too early, when it is due. Whatever is lost on the way is due again after a lease.

    What nobody keeps or drops however often it is published cannot be read any more: it is parked each time, by whoever
    reads the queue, and needs no further.
    """

    early: EarlyRequests
    publish: Callable[[EarlyRequest], Awaitable[None]]
    clock: Clock

    async def __call__(self) -> bool:
        """`True` while there may be more."""
        now = self.clock.now()
        due = await self.early.due(now, now + LEASE, BATCH)
        for request in due:
            await self.publish(request)
            if request.published >= MOST_IN_VAIN:
                log.error("request.published_in_vain", event_id=request.event_id, published=request.published)
                await self.early.give_up(request.event_id, MOST_IN_VAIN)
        return len(due) == BATCH
