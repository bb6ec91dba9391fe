"""Leave somebody alone, or contact them again, because a person decided so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from api_gateway.application.ports import AuditLog
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import missing
from common.contracts.documents import SuppressionDocument
from common.contracts.vocabulary import SuppressionReason
from common.kernel.clock import Clock
from common.kernel.phone import mask
from common.mongo.suppressions import Suppressed
from common.telemetry.logs import logger

log = logger()


class Suppressions(Protocol):
    async def add(self, suppression: SuppressionDocument, *, instead: bool = False) -> Suppressed:
        """Suppress a recipient, `instead` of what holds already, and end what waits for it."""
        ...

    async def lift(self, recipient: str) -> SuppressionDocument | None: ...

    async def get(self, recipient: str) -> SuppressionDocument | None: ...

    async def listed(self, listed_as: str) -> SuppressionDocument | None: ...

    async def page(self, before: str | None, limit: int) -> list[SuppressionDocument]:
        """Newest first."""
        ...


@dataclass(frozen=True)
class SuppressRecipients:
    suppressions: Suppressions
    audit: AuditLog
    clock: Clock

    async def add(self, recipient: str, reason: SuppressionReason, note: str | None, caller: Caller) -> Suppressed:
        """What a person decides stands instead of what held before."""
        before = await self.suppressions.get(recipient)
        wanted = SuppressionDocument(
            _id=recipient, reason=reason, note=note, created_by=caller.subject, created_at=self.clock.now()
        )
        audited = None if before is None else _audited(before)
        async with self.audit.changing(caller, "suppression.add", recipient, before=audited) as noted:
            done = await self.suppressions.add(wanted, instead=True)
            noted.after = {**_audited(done.suppression), "ended": done.ended}
        log.info("recipient.suppressed", reason=reason, by=caller.subject, deliveries_ended=done.ended)
        return done

    async def lift(self, recipient: str, caller: Caller) -> None:
        """Raises `Missing`. What was ended stays ended; only what is planned from now on is sent again."""
        before = await self.get(recipient)
        async with self.audit.changing(caller, "suppression.lift", recipient, before=_audited(before)):
            await self.suppressions.lift(recipient)

    async def get(self, recipient: str) -> SuppressionDocument:
        """Raises `Missing`."""
        found = await self.suppressions.get(recipient)
        if found is None:
            raise missing("suppression of", mask(recipient))
        return found

    async def listed(self, listed_as: str) -> SuppressionDocument:
        """By the identity it has in lists; raises `Missing`."""
        found = await self.suppressions.listed(listed_as)
        if found is None:
            raise missing("suppression", listed_as)
        return found


def _audited(suppression: SuppressionDocument) -> Mapping[str, Any]:
    return {name: suppression.get(name) for name in ("reason", "note", "created_by", "created_at")}
