"""The WhatsApp queue at a glance, and what an operator may do to all of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api_gateway.application.capacity import Capacity
from api_gateway.application.ports import Deliveries, Queue, Waiting
from api_gateway.domain.access import Caller
from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import BY_WHATSAPP, MAIL_PROVIDER, DeliveryStatus, Priority
from common.kernel.clock import Clock

NEXT_MESSAGES = 10


@dataclass(frozen=True)
class Glance:
    """Of WhatsApp alone. `waiting` is what stands in lanes; `queued` also counts what waits for a backoff or a cap;
    `dead` is what waits for a person. `finishes`: when all that waits with a priority or a higher one is sent, `None`
    while nobody sends it.
    """

    queued: int
    sending: int
    dead: int
    waiting: list[Waiting]
    heads: list[DeliveryDocument]
    finish: datetime | None
    finishes: Mapping[Priority, datetime | None]
    now: datetime


@dataclass(frozen=True)
class LookAtQueue:
    queue: Queue
    deliveries: Deliveries
    capacity: Capacity
    clock: Clock
    providers: tuple[str, ...]

    async def __call__(self) -> Glance:
        counts, dead, lanes = await asyncio.gather(
            self.queue.counts([DeliveryStatus.QUEUED, DeliveryStatus.SENDING]), self.queue.dead(), self.queue.waiting()
        )
        waiting = [one for one in lanes if one.lane != MAIL_PROVIDER]
        heads = await self.queue.heads(sorted({one.lane for one in waiting}), NEXT_MESSAGES)
        heads.sort(key=lambda one: (one["rank"], one["queued_at"], one["position"]))
        queued = counts[DeliveryStatus.QUEUED]
        finishes = {
            priority: self.capacity.through(self.providers, priority, BY_WHATSAPP, send_at=None)
            for priority in Priority
        }
        finish = finishes[Priority.LOW] if queued else self.clock.now()
        return Glance(
            queued, counts[DeliveryStatus.SENDING], dead, waiting, heads[:NEXT_MESSAGES],
            finish, finishes, self.clock.now(),
        )  # fmt: skip

    async def clear(self, caller: Caller) -> int:
        """Cancel everything queued for WhatsApp; how many deliveries were."""
        cause = f"queue cleared by {caller.subject}"
        cleared = 0
        async for ids in self.deliveries.queued():
            cleared += await self.deliveries.cancel(ids, reason=cause, cause=cause, now=self.clock.now())
        return cleared

    async def force(self) -> int:
        """Let what waits for a retry line up now. Pacing, limits and caps stay what they are; how many there were."""
        return await self.deliveries.hurry(self.clock.now())
