"""Ask for everything about somebody to go; a scheduler sees to it."""

from dataclasses import dataclass
from typing import Protocol

from api_gateway.application.ports import AuditLog
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import missing
from common.contracts.documents import ErasureDocument
from common.contracts.vocabulary import ErasureStatus
from common.kernel.clock import Clock


@dataclass(frozen=True)
class Wanted:
    """Who is to be erased: `by` a phone, an e-mail address or a customer_id; `named` is what may be told of it."""

    by: str
    value: str
    named: str


class Erasures(Protocol):
    async def add(self, erasure: ErasureDocument) -> None:
        """One that is there stays as it is."""
        ...

    async def get(self, erasure_id: str) -> ErasureDocument | None: ...

    async def page(self, before: str | None, limit: int) -> list[ErasureDocument]:
        """Newest first."""
        ...


@dataclass(frozen=True)
class RequestErasure:
    erasures: Erasures
    audit: AuditLog
    clock: Clock

    async def __call__(self, erasure_id: str, wanted: Wanted, *, dry_run: bool, caller: Caller) -> ErasureDocument:
        now = self.clock.now()
        erasure = ErasureDocument(
            _id=erasure_id,
            by=wanted.by,
            named=wanted.named,
            wanted=wanted.value,
            dry_run=dry_run,
            status=ErasureStatus.REQUESTED,
            waits_for=None,
            counts={},
            requested_by=caller.subject,
            requested_at=now,
            started_at=None,
            finished_at=None,
            wake_at=now,
        )
        async with self.audit.changing(caller, "erasure.request", [erasure_id, wanted.named]) as noted:
            await self.erasures.add(erasure)
            noted.after = {"by": wanted.by, "dry_run": dry_run}
        return await self.get(erasure_id)

    async def get(self, erasure_id: str) -> ErasureDocument:
        """Raises `Missing`."""
        found = await self.erasures.get(erasure_id)
        if found is None:
            raise missing("erasure", erasure_id)
        return found
