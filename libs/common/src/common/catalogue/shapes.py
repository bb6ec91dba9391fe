"""The data each notification type is asked for with. Fields are read as `snake_case` and as `camelCase`."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from common.contracts.directory import Identity, Line, Link, Name, Paragraph

Lines = Annotated[list[Line], Field(max_length=20)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0, le=10**9)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3])[:.][0-5]\d$")]
Days = Annotated[int, Field(ge=0, le=366)]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{4,12}$")]


class Shape(BaseModel):
    """Unknown fields are refused: a misspelt one must not be taken for none."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class OfTicket(Shape):
    ticket_id: Identity


class OfInvoice(Shape):
    invoice_id: Identity


class OfCustomer(Shape):
    customer_id: Identity


class TicketAssignment(OfTicket):
    technician_id: Identity | None = None
    """The one it is assigned to, unless the ticket says so."""


class TicketStatusUpdate(OfTicket):
    note: Paragraph | None = None


class SlaWarning(OfTicket):
    minutes_left: Annotated[int, Field(ge=-100_000, le=100_000)]


class PaymentReminder(OfInvoice):
    days_left: Days


class PaymentOverdue(OfInvoice):
    days_overdue: Days


class InstallationSchedule(OfCustomer):
    date: date
    time: ClockTime
    technician_id: Identity | None = None
    address: Line | None = None
    note: Paragraph | None = None


class Maintenance(Shape):
    """`type` is the kind of work, as people call it."""

    type: Name
    area: Name
    start_date: date
    start_time: ClockTime
    duration: Name
    impact: Line
    reason: Line


class EmergencyAlert(Shape):
    """`type` is the kind of emergency, `eta` when it is expected to be over, both as people say it."""

    type: Name
    area: Name
    customers_affected: Count
    status: Line
    eta: Name
    actions: Lines = []


class DailySummary(Shape):
    """Figures of a day; what is left out is left out of the message."""

    date: date
    tickets_opened: Count | None = None
    tickets_closed: Count | None = None
    tickets_open: Count | None = None
    sla_met_percent: Percent | None = None
    technicians_active: Count | None = None
    issues: Lines = []


class UpgradeOffer(OfCustomer):
    upgrade_package_id: Identity


class TechnicianPerformance(Shape):
    technician_id: Identity
    period: Name | None = None
    tickets_done: Count | None = None
    average_hours: Annotated[float, Field(ge=0)] | None = None
    sla_met_percent: Percent | None = None
    rating: Annotated[float, Field(ge=0, le=5)] | None = None
    rank: Annotated[int, Field(ge=1)] | None = None
    technicians: Annotated[int, Field(ge=1)] | None = None
    bonus: Count | None = None


class Promotion(Shape):
    campaign_title: Line
    offer: Paragraph
    discount: Name | None = None
    valid_until: date
    terms: Lines = []
    cta_text: Line | None = None
    cta_link: Link | None = None
    target_customers: Annotated[list[Identity], Field(min_length=1, max_length=100_000)] | None = None
    """Customer ids; every active one when it is left out."""


class IncidentReport(Shape):
    title: Line
    description: Paragraph
    severity: Name | None = None
    area: Name | None = None
    status: Line | None = None
    actions: Lines = []


class WeeklyReflection(Shape):
    period: Name
    highlights: Lines = []
    problems: Lines = []
    plans: Lines = []


class LearningLog(Shape):
    title: Line
    lesson: Paragraph
    context: Paragraph | None = None
    author: Name | None = None


class SystemAlert(Shape):
    """`cause` names what it is about, the same from when it begins until it is `resolved`."""

    cause: Name
    detail: Paragraph
    resolved: bool = False


class QuotaAlert(Shape):
    provider: Name
    sender: Name
    remaining: Count
    total: Count | None = None
    resolved: bool = False


class Otp(Shape):
    code: Code
    purpose: Name | None = None
