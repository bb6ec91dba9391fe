"""What other services tell on the bus: flat JSON, the row's fields beside `event_id`, `occurred_at` and `version`."""

from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.alias_generators import to_camel

from common.contracts import directory
from common.contracts.directory import CustomerStatus, InvoiceStatus, Row, TicketStatus
from common.contracts.event import Event
from common.contracts.requests import NotificationFields

EventIdentity = Annotated[str, Field(min_length=1, max_length=128)]
Version = Annotated[int, Field(ge=0, le=2**53)]


class Fact(Event):
    """Something that happened elsewhere. `event_id` is its message_id too; telling it again is harmless."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    event_id: EventIdentity
    occurred_at: AwareDatetime
    version: Version = 0


class RowFact(Fact):
    """A fact about one row of the directory."""

    row: ClassVar[type[Row]]
    implies: ClassVar[dict[str, Any]] = {}
    """Fields the event itself tells, unless it says otherwise."""

    def telling(self) -> Row:
        """The row's fields it tells; one that is null is not told."""
        told = self.model_dump(exclude_none=True, include=set(self.row.model_fields))
        return self.row.model_validate({**self.implies, **told})


class CustomerRegistered(RowFact, directory.Customer):
    routing_key: ClassVar[str] = "customer.registered"
    row: ClassVar[type[Row]] = directory.Customer
    implies: ClassVar[dict[str, Any]] = {"status": CustomerStatus.REGISTERED}


class CustomerUpdated(RowFact, directory.Customer):
    routing_key: ClassVar[str] = "customer.updated"
    row: ClassVar[type[Row]] = directory.Customer


class CustomerActivated(RowFact, directory.Customer):
    routing_key: ClassVar[str] = "customer.activated"
    row: ClassVar[type[Row]] = directory.Customer
    implies: ClassVar[dict[str, Any]] = {"status": CustomerStatus.ACTIVE}


class CustomerDeactivated(RowFact, directory.Customer):
    routing_key: ClassVar[str] = "customer.deactivated"
    row: ClassVar[type[Row]] = directory.Customer
    implies: ClassVar[dict[str, Any]] = {"status": CustomerStatus.INACTIVE}


class TicketCreated(RowFact, directory.Ticket):
    routing_key: ClassVar[str] = "ticket.created"
    row: ClassVar[type[Row]] = directory.Ticket
    implies: ClassVar[dict[str, Any]] = {"status": TicketStatus.OPEN}


class TicketAssigned(RowFact, directory.Ticket):
    routing_key: ClassVar[str] = "ticket.assigned"
    row: ClassVar[type[Row]] = directory.Ticket


class TicketStatusChanged(RowFact, directory.Ticket):
    routing_key: ClassVar[str] = "ticket.status_changed"
    row: ClassVar[type[Row]] = directory.Ticket


class InvoiceIssued(RowFact, directory.Invoice):
    routing_key: ClassVar[str] = "invoice.issued"
    row: ClassVar[type[Row]] = directory.Invoice
    implies: ClassVar[dict[str, Any]] = {"status": InvoiceStatus.UNPAID}


class InvoicePaymentLinkCreated(RowFact, directory.Invoice):
    routing_key: ClassVar[str] = "invoice.payment_link_created"
    row: ClassVar[type[Row]] = directory.Invoice


class InvoicePaid(RowFact, directory.Invoice):
    routing_key: ClassVar[str] = "invoice.paid"
    row: ClassVar[type[Row]] = directory.Invoice
    implies: ClassVar[dict[str, Any]] = {"status": InvoiceStatus.PAID}


class InvoiceCancelled(RowFact, directory.Invoice):
    routing_key: ClassVar[str] = "invoice.cancelled"
    row: ClassVar[type[Row]] = directory.Invoice
    implies: ClassVar[dict[str, Any]] = {"status": InvoiceStatus.CANCELLED}


class TechnicianUpdated(RowFact, directory.Technician):
    routing_key: ClassVar[str] = "technician.updated"
    row: ClassVar[type[Row]] = directory.Technician


class StaffUpdated(RowFact, directory.Staff):
    routing_key: ClassVar[str] = "staff.updated"
    row: ClassVar[type[Row]] = directory.Staff


class PackageUpdated(RowFact, directory.Package):
    routing_key: ClassVar[str] = "package.updated"
    row: ClassVar[type[Row]] = directory.Package


class SurveyAnswered(Fact):
    """A customer rated how a ticket was handled."""

    routing_key: ClassVar[str] = "survey.answered"

    ticket_id: directory.Identity
    rating: Annotated[int, Field(ge=1, le=5)]
    comment: directory.Paragraph | None = None


class NotificationRequested(Fact, NotificationFields):
    """Somebody asks for a notification: the body of `POST /api/notifications` beside the envelope's three fields.

    `event_id` is its idempotency key.
    """

    routing_key: ClassVar[str] = "notification.requested"
