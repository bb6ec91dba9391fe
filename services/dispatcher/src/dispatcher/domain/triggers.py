"""Which facts somebody is notified of, and when it is too late for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from common.contracts.directory import InvoiceStatus, TicketStatus
from common.contracts.facts import (
    CustomerActivated,
    CustomerRegistered,
    InvoicePaid,
    InvoicePaymentLinkCreated,
    NotificationRequested,
    RowFact,
    TicketAssigned,
    TicketStatusChanged,
)
from common.contracts.vocabulary import NotificationType

LONGEST_IDENTITY = 128
"""Of an event; a fact may have used all of it itself."""
SETTLED_TICKET = frozenset({TicketStatus.RESOLVED, TicketStatus.CLOSED, TicketStatus.CANCELLED})
SETTLED_INVOICE = frozenset({InvoiceStatus.PAID, InvoiceStatus.CANCELLED})


@dataclass(frozen=True)
class Trigger:
    """`subject` is the field of the notification's data that names the row, `tells` the field the fact is about:
    it has to come with it, and once the row says something else there the fact is out of date. So it is while the row
    is in a status that is `too_late`. `passes` is what the notification is told besides.
    """

    type: NotificationType
    subject: str
    tells: str
    passes: tuple[str, ...] = ()
    too_late: frozenset[str] = frozenset()


TRIGGERS: dict[type[RowFact], Trigger] = {
    CustomerRegistered: Trigger(NotificationType.REGISTRATION_CONFIRMATION, "customer_id", "status"),
    CustomerActivated: Trigger(NotificationType.ACCOUNT_ACTIVATED, "customer_id", "status"),
    TicketAssigned: Trigger(
        NotificationType.TICKET_ASSIGNMENT, "ticket_id", "technician_id", ("technician_id",), SETTLED_TICKET
    ),
    TicketStatusChanged: Trigger(NotificationType.TICKET_STATUS_UPDATE, "ticket_id", "status", ("note",)),
    InvoicePaymentLinkCreated: Trigger(
        NotificationType.PAYMENT_LINK, "invoice_id", "payment_link", too_late=SETTLED_INVOICE
    ),
    InvoicePaid: Trigger(NotificationType.PAYMENT_RECEIVED, "invoice_id", "status"),
}


def unsaid(fact: RowFact, told: Mapping[str, object]) -> str | None:
    """The field a fact that somebody is notified of cannot do without, if it does."""
    trigger = TRIGGERS.get(type(fact))
    return trigger.tells if trigger is not None and trigger.tells not in told else None


def request(
    fact: RowFact, identity: str, told: Mapping[str, object], row: Mapping[str, object]
) -> NotificationRequested | None:
    """What a fact that told `told` asks for; `None` when nobody is notified of it, or when the row, as it is by now,
    has gone on.

    The same fact always asks under the same identity, so that however often it does one notification comes of it.
    """
    trigger = TRIGGERS.get(type(fact))
    if trigger is None or row.get("status") in trigger.too_late or row.get(trigger.tells) != told[trigger.tells]:
        return None
    return NotificationRequested(
        event_id=_identity(fact.event_id, trigger.type),
        occurred_at=fact.occurred_at,
        version=fact.version,
        type=trigger.type,
        data={trigger.subject: identity, **{name: told[name] for name in trigger.passes if name in told}},
    )


def _identity(event_id: str, type_: NotificationType) -> str:
    whole = f"{event_id}.{type_}"
    return whole if len(whole) <= LONGEST_IDENTITY else f"{sha256(event_id.encode()).hexdigest()}.{type_}"
