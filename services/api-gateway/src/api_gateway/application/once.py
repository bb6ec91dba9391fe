"""Do what an idempotency key stands for once, however often and from wherever it is asked for."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer, Reservation, Reservations
from api_gateway.domain.refusals import Code, Conflicting, Problem, Refused, Unavailable
from common.kernel.clock import Clock
from common.kernel.identity import new_id
from common.telemetry.logs import logger

ABANDONED_AFTER = timedelta(seconds=10)
"""A reservation neither answered nor renewed for so long was left behind by a crash. Whoever is only slow, and taken
over, harms nothing: both do the same under one identity.
"""
RENEWALS = 5
"""So often a reservation is renewed before it would count as left behind."""
FIELD = "Idempotency-Key"
log = logger()


@dataclass(frozen=True)
class Replayed:
    """The answer is the first one again."""

    answer: Answer


@dataclass(frozen=True)
class Once:
    """`abandoned_after`: when a reservation without an answer counts as left behind by a crash."""

    reservations: Reservations
    clock: Clock
    abandoned_after: timedelta = ABANDONED_AFTER

    async def __call__(self, key: str, fingerprint: str, act: Callable[[Turn], Awaitable[Answer]]) -> Answer | Replayed:
        """The answer of `act`, or the one it gave to the first caller with this key and fingerprint.

        Raises `Refused` when the key stands for another request and `Conflicting` while that is under way.
        """
        now = self.clock.now()
        wanted = Reservation(key, fingerprint, new_id("ntf"), new_id("try"), reserved_at=now, created_at=now)
        try:
            found = await self.reservations.reserve(wanted)
        except Unavailable:
            self.reservations.abandon(wanted)
            raise
        retaken = False
        if found.token != wanted.token:
            if found.fingerprint != fingerprint:
                error = "it was used for another request; choose a new key for each new request"
                raise Refused(Code.IDEMPOTENCY_CONFLICT, f"{FIELD}: {error}", [Problem(FIELD, error)])
            if found.answer is not None:
                return Replayed(found.answer)
            if not found.abandoned and now - found.reserved_at < self.abandoned_after:
                raise _running()
            if not await self.reservations.take_over(found, wanted):
                raise _running()
            wanted, retaken = replace(wanted, resource_id=found.resource_id, created_at=found.created_at), True
        return await self._act(wanted, Turn(wanted.resource_id, wanted.created_at, retaken), act)

    async def _act(self, mine: Reservation, turn: Turn, act: Callable[[Turn], Awaitable[Answer]]) -> Answer:
        renewing = asyncio.create_task(self._renew(mine))
        try:
            answer = await act(turn)
        except Refused as refused:
            await self._release(mine, turn, refused)
            raise
        except BaseException:
            self.reservations.abandon(mine)
            raise
        finally:
            renewing.cancel()
        try:
            await self.reservations.complete(mine, answer)
        except Unavailable as error:  # it is done; the next caller with this key finds that out by its identity
            log.warning("idempotency.not_completed", notification_id=mine.resource_id, error=str(error))
        return answer

    async def _renew(self, mine: Reservation) -> None:
        """However long it takes, nobody takes it over meanwhile."""
        while True:
            await asyncio.sleep(self.abandoned_after.total_seconds() / RENEWALS)
            with contextlib.suppress(Unavailable):  # the next one may be in time
                await self.reservations.renew(mine, self.clock.now())

    async def _release(self, mine: Reservation, turn: Turn, refused: Refused) -> None:
        if turn.retaken or isinstance(refused, Unavailable):
            self.reservations.abandon(mine)
        else:
            await self.reservations.release(mine)


def _running() -> Conflicting:
    return Conflicting(
        Code.IDEMPOTENCY_CONFLICT, f"{FIELD}: the first request with this key is still running; ask again in a moment"
    )
