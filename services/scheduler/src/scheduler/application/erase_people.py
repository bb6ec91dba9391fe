"""Erase people who asked for it: what was said to them and about them, wherever it is, and what waits for them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from common.contracts.documents import ErasedPerson, ErasureDocument
from common.kernel.clock import Clock
from common.kernel.identity import new_id
from common.telemetry.logs import logger

LEASE = timedelta(seconds=30)
"""Of somebody who does not say so again another scheduler takes over."""
AGAIN, LATEST_AGAIN = timedelta(seconds=1), timedelta(minutes=1)
"""What is under way is waited for by looking again, when as much time has passed again as it took so far."""
log = logger()


class Taken(Exception):  # noqa: N818 - failures are adjectives here
    """Another scheduler has it by now."""


class Erasures(Protocol):
    async def claim(self, claim: str, now: datetime, until: datetime) -> ErasureDocument | None:
        """The one that waits longest for somebody."""
        ...

    async def found(self, erasure_id: str, claim: str, person: ErasedPerson) -> bool:
        """Note who it is; `False` when somebody else has it. So do the next two."""
        ...

    async def renew(self, erasure_id: str, claim: str, until: datetime, counted: Mapping[str, int]) -> bool:
        """Go on having it, and count."""
        ...

    async def wait(self, erasure_id: str, claim: str, until: datetime, waits_for: str) -> bool: ...

    async def finish(self, erasure_id: str, claim: str, now: datetime, counts: Mapping[str, int]) -> None:
        """Nobody can tell any more whom it was about."""
        ...


class Traces(Protocol):
    """What there is of people. `at` is when the erasure was asked for: what came later stands. Whatever is done here
    may be done again.
    """

    async def keep_out(self, by: str, wanted: str, at: datetime) -> None:
        """See that nothing makes a row with the address any more that was told until then."""
        ...

    async def person(self, by: str, wanted: str, at: datetime) -> ErasedPerson:
        """What somebody is known by, so named."""
        ...

    async def forget(self, person: ErasedPerson, at: datetime) -> None:
        """Take the person out of the directory and let no older word bring them back, and keep an opt-out so that it
        tells nobody whose it is.
        """
        ...

    async def cancel(self, person: ErasedPerson, at: datetime, now: datetime) -> None:
        """End what waits for the person, and let what is under way not go on."""
        ...

    def remove(
        self, person: ErasedPerson, at: datetime, erasure_id: str, now: datetime
    ) -> AsyncIterator[Mapping[str, int]]:
        """Remove the contents of what is over, batch by batch: of what was sent to the person, then of what was sent
        to others about them. Answers what `removed` cannot count.
        """
        ...

    def remove_elsewhere(self, person: ErasedPerson, now: datetime) -> AsyncIterator[Mapping[str, int]]:
        """Remove what is kept elsewhere, which is read from end to end. Answers as `remove` does."""
        ...

    async def left(self, person: ErasedPerson, at: datetime) -> str | None:
        """What is not over and may still bring something of the person; `None` when nothing is."""
        ...

    async def removed(self, erasure_id: str) -> Mapping[str, int]:
        """How many deliveries and notifications an erasure has removed the contents of, in all."""
        ...

    async def count(self, person: ErasedPerson, at: datetime) -> Mapping[str, int]:
        """How much there is to remove."""
        ...


@dataclass(frozen=True)
class ErasePeople:
    """An erasure is a sequence of steps that may each be done again, so whoever takes it over begins with the first."""

    erasures: Erasures
    traces: Traces
    clock: Clock

    async def __call__(self) -> bool:
        """Go on with one; `True` while there may be more."""
        now = self.clock.now()
        claim = new_id("claim")
        erasure = await self.erasures.claim(claim, now, now + LEASE)
        if erasure is None:
            return False
        try:
            await self._go_on(erasure, claim)
        except Taken:
            log.warning("erasure.taken_over", erasure_id=erasure["_id"])
        return True

    async def _go_on(self, erasure: ErasureDocument, claim: str) -> None:
        identity, requested_at = erasure["_id"], erasure["requested_at"]
        person = erasure.get("person")
        if person is None:
            if not erasure["dry_run"]:  # first: a row that is told just now is then found here, or undone there
                await self.traces.keep_out(erasure["by"], erasure["wanted"], requested_at)
            person = await self.traces.person(erasure["by"], erasure["wanted"], requested_at)
            if not await self.erasures.found(identity, claim, person):
                raise Taken
        if erasure["dry_run"]:
            await self._finish(identity, claim, person, await self.traces.count(person, requested_at))
            return
        if erasure["waits_for"] is None:
            await self.traces.forget(person, requested_at)
        await self.traces.cancel(person, requested_at, self.clock.now())
        await self._count(identity, claim, self.traces.remove(person, requested_at, identity, self.clock.now()))
        left = await self.traces.left(person, requested_at)
        if left is None:
            await self._count(identity, claim, self.traces.remove_elsewhere(person, self.clock.now()))
            await self._finish(identity, claim, person, await self.traces.removed(identity))
        elif not await self.erasures.wait(identity, claim, self._again(erasure), left):
            raise Taken

    async def _count(self, identity: str, claim: str, batches: AsyncIterator[Mapping[str, int]]) -> None:
        async for counted in batches:
            if not await self.erasures.renew(identity, claim, self.clock.now() + LEASE, counted):
                raise Taken

    def _again(self, erasure: ErasureDocument) -> datetime:
        now = self.clock.now()
        return now + min(max(AGAIN, now - (erasure["started_at"] or now)), LATEST_AGAIN)

    async def _finish(self, identity: str, claim: str, person: ErasedPerson, counts: Mapping[str, int]) -> None:
        rows = len(person["rows"])
        await self.erasures.finish(identity, claim, self.clock.now(), {"directory_rows": rows, **counts})
        log.info("erasure.done", erasure_id=identity)
