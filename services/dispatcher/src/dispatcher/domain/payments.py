"""What is not told of an invoice once nothing is left to pay."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from common.contracts.directory import InvoiceStatus
from common.contracts.documents import AudienceMember, DeliveryDocument, NotificationDocument
from common.contracts.vocabulary import DeliveryStatus, NotificationType
from dispatcher.domain.attempts import any_unknown
from dispatcher.domain.change import Change
from dispatcher.domain.rounds import held

ASKING = frozenset({
    NotificationType.PAYMENT_REMINDER, NotificationType.PAYMENT_OVERDUE, NotificationType.PAYMENT_LINK,
})  # fmt: skip
"""Types that ask somebody to pay."""
SETTLED = {InvoiceStatus.PAID: "INVOICE_PAID", InvoiceStatus.CANCELLED: "INVOICE_CANCELLED"}


def invoice_asked_for(notification: NotificationDocument, member: AudienceMember) -> str | None:
    """The invoice a member of the audience is asked to pay, if that is what the notification is for."""
    if notification["type"] not in ASKING:
        return None
    data = member.get("data", notification["data"]) or {}
    identity = data.get("invoice_id")
    return identity if isinstance(identity, str) else None


def settled(invoice: Mapping[str, Any]) -> tuple[str, str] | None:
    """The reason and the code of what is not sent any more, once an invoice is paid or cancelled."""
    status = invoice.get("status")
    return None if status not in SETTLED else (f"its invoice {invoice['_id']} is {status}", SETTLED[status])


def no_longer_asked(delivery: DeliveryDocument, reason: str, code: str) -> Change:
    """The end of a delivery; whether it was sent before is said too when nobody can tell."""
    if not any_unknown(delivery):
        return Change(DeliveryStatus.CANCELLED, reason, fields={"reason": reason, "code": code})
    unknown = held(reason, past=None)
    return replace(unknown, fields={**unknown.fields, "called_off": reason, "called_off_code": code})
