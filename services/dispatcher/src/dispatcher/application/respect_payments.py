"""Ask nobody to pay what was paid or cancelled after it was planned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from common.contracts.documents import DeliveryDocument
from dispatcher.application.look_again import Ending
from dispatcher.domain.payments import no_longer_asked, settled


class Directory(Protocol):
    async def many(self, kind: str, identities: Iterable[str]) -> Mapping[str, Mapping[str, Any]]: ...


@dataclass(frozen=True)
class NothingLeftToPay:
    """A reminder may have waited for hours."""

    directory: Directory

    async def __call__(self, claimed: Sequence[DeliveryDocument]) -> Mapping[str, Ending]:
        asking = {delivery["_id"]: delivery["invoice_id"] for delivery in claimed if "invoice_id" in delivery}
        invoices = await self.directory.many("invoices", set(asking.values())) if asking else {}
        over = {identity: why for identity, row in invoices.items() if (why := settled(row)) is not None}
        return {
            delivery_id: partial(no_longer_asked, reason=over[invoice_id][0], code=over[invoice_id][1])
            for delivery_id, invoice_id in asking.items()
            if invoice_id in over
        }
