"""Look at what was parked, hand it in again, or set it aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Conflicting, Unavailable, missing
from common.kernel.clock import Clock
from common.kernel.failures import Transient

CLAIM = timedelta(seconds=15)
"""How long one replay keeps others from the same envelope; publishing takes a third of it at most."""


@dataclass(frozen=True)
class ParkedEnvelope:
    """`body_bytes` is how long the body was, `kept_bytes` what is kept of it (in a list `body` is left out). `replays`
    counts how often it was handed in again, `earlier` says what became of it before it was parked once more.
    """

    id: str
    queue: str
    reason: str
    exchange: str
    routing_key: str
    body: str
    body_bytes: int
    kept_bytes: int
    parked_at: datetime
    replays: int = 0
    replayed_at: datetime | None = None
    replayed_by: str | None = None
    discarded_at: datetime | None = None
    discarded_by: str | None = None
    earlier: Sequence[Mapping[str, Any]] = ()
    traceparent: str | None = None

    @property
    def status(self) -> str:
        return "discarded" if self.discarded_at else "replayed" if self.replayed_at else "parked"

    @property
    def complete(self) -> bool:
        """Whether what is kept is the whole body, byte for byte: not cut, and text all through."""
        return self.kept_bytes == self.body_bytes


class ParkedEnvelopes(Protocol):
    async def page(self, queue: str | None, before: tuple[datetime, str] | None, limit: int) -> list[ParkedEnvelope]:
        """The latest first; `before` is the last one of the page before."""
        ...

    async def get(self, envelope_id: str) -> ParkedEnvelope | None: ...

    async def claim(self, envelope: ParkedEnvelope, *, now: datetime, until: datetime) -> bool:
        """Keep others from it; `False` when somebody else has it or had it since it was read."""
        ...

    async def release(self, envelope_id: str) -> None: ...

    async def replayed(self, envelope_id: str, *, claimed_until: datetime, by: str, at: datetime) -> None:
        """Close it, unless it was parked once more since it was claimed."""
        ...

    async def discarded(self, envelope_id: str, *, by: str, at: datetime) -> bool:
        """`False` when somebody else has it or had it."""
        ...


class Replays(Protocol):
    def known(self, exchange: str) -> bool:
        """Whether there is such an exchange to publish to."""
        ...

    async def publish(self, envelope: ParkedEnvelope) -> None:
        """Publish it where it came from; raises `Transient` when RabbitMQ does not take it."""
        ...


@dataclass(frozen=True)
class ReplayEnvelopes:
    parked: ParkedEnvelopes
    replays: Replays
    clock: Clock

    async def get(self, envelope_id: str) -> ParkedEnvelope:
        found = await self.parked.get(envelope_id)
        if found is None:
            raise missing("parked envelope", envelope_id)
        return found

    async def page(
        self, queue: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[ParkedEnvelope]:
        return await self.parked.page(queue, before, limit)

    async def replay(self, envelope_id: str, caller: Caller, *, force: bool) -> ParkedEnvelope:
        """Hand it in again where it came from. A crash between publishing and noting it leaves it `parked`.

        Raises `Missing`; `Conflicting` when it is not whole, was replayed or discarded (and not `force`), or somebody
        replays it now; `Unavailable` when RabbitMQ does not take it.
        """
        found = await self.get(envelope_id)
        self._check(found, force=force)
        now = self.clock.now()
        until = now + CLAIM
        if not await self.parked.claim(found, now=now, until=until):
            raise Conflicting(Code.CONFLICT, "somebody else is replaying it; look at it again in a moment")
        try:
            await self.replays.publish(found)
        except Transient as error:
            await self.parked.release(envelope_id)
            raise Unavailable(Code.UNAVAILABLE, "RabbitMQ does not take it; replay it again in a moment") from error
        await self.parked.replayed(envelope_id, claimed_until=until, by=caller.subject, at=self.clock.now())
        return await self.get(envelope_id)

    async def discard(self, envelope_id: str, caller: Caller) -> ParkedEnvelope:
        """Set it aside for good; it stays to be looked at. Raises `Missing` and `Conflicting`."""
        found = await self.get(envelope_id)
        if found.status != "parked":
            raise Conflicting(Code.CONFLICT, f"it is {found.status} already", details={"status": found.status})
        if not await self.parked.discarded(envelope_id, by=caller.subject, at=self.clock.now()):
            raise Conflicting(Code.CONFLICT, "somebody is replaying or discarding it; look at it again in a moment")
        return await self.get(envelope_id)

    def _check(self, found: ParkedEnvelope, *, force: bool) -> None:
        if not found.complete:
            raise Conflicting(
                Code.NOT_REPLAYABLE,
                f"its body was not kept whole (of {found.body_bytes:,} bytes, or not text); have it published again by "
                "whoever published it",
                details={"body_bytes": found.body_bytes, "kept_bytes": found.kept_bytes},
            )
        if not self.replays.known(found.exchange):
            raise Conflicting(Code.CONFLICT, f"there is no exchange {found.exchange[:80]!r} to publish it to")
        if found.status != "parked" and not force:
            raise Conflicting(
                Code.CONFLICT, f'it was {found.status} before; send {{"force": true}} to replay it all the same',
                details={"status": found.status},
            )  # fmt: skip
