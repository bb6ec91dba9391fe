"""What Kabar keeps of other services' rows: the shapes they come in, over HTTP, as CSV and on the bus.

A row is told in parts: every field but `id` may be left out, and what is left out stays as it was. Of two tellings of
one field the later wins: by `occurred_at`, then by `version`. So repeated and reordered ones change nothing.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Identity = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Paragraph = Annotated[str, Field(min_length=1, max_length=2_000)]
Phone = Annotated[str, Field(min_length=5, max_length=40)]
"""As it was given; whoever stores it spells it the one way."""
EMail = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Rupiah = Annotated[int, Field(ge=0, le=10**12)]
Link = Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s]+$")]


class CustomerStatus(StrEnum):
    REGISTERED = "registered"
    ACTIVE = "active"
    INACTIVE = "inactive"


class Activity(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"


class StaffRole(StrEnum):
    """The roles of people who get messages; a technician is a row of its own kind."""

    ADMIN = "admin"
    MANAGER = "manager"
    SUPERVISOR = "supervisor"
    NOC = "noc"
    CS = "cs"


class TicketStatus(StrEnum):
    OPEN = "open"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"


OPEN_TICKETS = frozenset({TicketStatus.OPEN, TicketStatus.ASSIGNED, TicketStatus.IN_PROGRESS, TicketStatus.ON_HOLD})
DONE_TICKETS = frozenset({TicketStatus.RESOLVED, TicketStatus.CLOSED})


class TicketPriority(StrEnum):
    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class InvoiceStatus(StrEnum):
    UNPAID = "unpaid"
    PAID = "paid"
    CANCELLED = "cancelled"


class Row(BaseModel):
    """One telling of a row. Field names are read as `snake_case` and as `camelCase`."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    kind: ClassVar[str]
    """The collection it is kept in, and its name in paths."""

    id: Identity


class Customer(Row):
    kind: ClassVar[str] = "customers"

    name: Name | None = None
    phone: Phone | None = None
    email: EMail | None = None
    area: Name | None = None
    address: Line | None = None
    package_id: Identity | None = None
    status: CustomerStatus | None = None


class Technician(Row):
    kind: ClassVar[str] = "technicians"

    name: Name | None = None
    phone: Phone | None = None
    area: Name | None = None
    status: Activity | None = None


class Staff(Row):
    kind: ClassVar[str] = "staff"

    name: Name | None = None
    phone: Phone | None = None
    email: EMail | None = None
    role: StaffRole | None = None
    area: Name | None = None
    status: Activity | None = None


class Ticket(Row):
    kind: ClassVar[str] = "tickets"

    customer_id: Identity | None = None
    technician_id: Identity | None = None
    title: Line | None = None
    description: Paragraph | None = None
    category: Name | None = None
    area: Name | None = None
    priority: TicketPriority | None = None
    status: TicketStatus | None = None
    note: Paragraph | None = None
    opened_at: datetime | None = None
    deadline: datetime | None = None
    resolved_at: datetime | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None


class Invoice(Row):
    kind: ClassVar[str] = "invoices"

    customer_id: Identity | None = None
    number: Name | None = None
    period: Name | None = None
    amount: Rupiah | None = None
    issued_on: date | None = None
    due_date: date | None = None
    status: InvoiceStatus | None = None
    payment_link: Link | None = None
    paid_at: datetime | None = None
    payment_method: Name | None = None


class Package(Row):
    kind: ClassVar[str] = "packages"

    name: Name | None = None
    price: Rupiah | None = None
    speed: Name | None = None
    description: Line | None = None
    status: Activity | None = None


ROWS: dict[str, type[Row]] = {row.kind: row for row in (Customer, Technician, Staff, Ticket, Invoice, Package)}
