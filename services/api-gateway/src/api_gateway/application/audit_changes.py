"""Write down who changes what, before it is changed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from api_gateway.application.ports import AuditEntries, AuditEntry, Change
from api_gateway.domain.access import Caller
from api_gateway.domain.audit import Outcome, masked, small
from api_gateway.domain.refusals import Refused, Unavailable
from common.kernel.clock import Clock
from common.telemetry.logs import logger

log = logger()


@dataclass(frozen=True)
class AuditChanges:
    """The audit log as use cases and routes write it."""

    entries: AuditEntries
    clock: Clock

    @asynccontextmanager
    async def changing(
        self, caller: Caller, action: str, subject: str | Sequence[str], *, before: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Change]:
        targets = [subject] if isinstance(subject, str) else subject
        entry = self._entry(caller, action, targets, Outcome.UNKNOWN, before=before)
        await self.entries.add(entry)
        change = Change()
        try:
            yield change
        except Unavailable:
            raise  # nobody knows whether it was made
        except Refused as refused:
            await self._settle(entry, Outcome.REFUSED, {"code": refused.code.value})
            raise
        await self._settle(entry, Outcome.DONE, change.after)

    async def note(
        self,
        caller: Caller,
        action: str,
        subject: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        await self.entries.add(self._entry(caller, action, [subject], Outcome.DONE, before=before, after=after))

    async def _settle(self, entry: AuditEntry, outcome: Outcome, after: Mapping[str, Any] | None) -> None:
        try:
            await self.entries.settle(entry.id, outcome, small(after))
        except Unavailable as error:  # it is written that it was begun; the answer must not depend on more
            log.warning("audit.not_settled", entry=entry.id, action=entry.action, error=str(error))

    def _entry(
        self,
        caller: Caller,
        action: str,
        targets: Sequence[str],
        outcome: Outcome,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        at = self.clock.now()
        return AuditEntry(
            id=f"aud_{int(at.timestamp() * 1000):012x}{token_hex(8)}",
            at=at,
            actor=masked(caller.subject),
            role=caller.role,
            action=action,
            targets=[masked(target) for target in targets],
            outcome=outcome,
            before=small(before),
            after=small(after),
            address=caller.address,
        )
