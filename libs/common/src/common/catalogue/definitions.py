"""Every notification type in one table."""

from dataclasses import dataclass, field
from enum import StrEnum

from common.catalogue import shapes
from common.contracts.documents import Hours
from common.contracts.vocabulary import Channel, NotificationType, OnUnknown, Priority, Role

DAY = 24 * 3600.0
DAYTIME = Hours(begins="07:00", ends="21:00")
"""Outside of it people are left alone by what can wait."""


ROW_KINDS = {
    "customer": "customers",
    "ticket": "tickets",
    "technician": "technicians",
    "invoice": "invoices",
    "package": "packages",
    "staff": "staff",
}
"""How a template names a row, and the kind of row it is."""


class Recipients(StrEnum):
    """Who gets a notification that names nobody itself."""

    GIVEN = "given"
    """Those of the request; there is no default."""
    CUSTOMER = "customer"
    TICKETS_CUSTOMER = "tickets_customer"
    INVOICES_CUSTOMER = "invoices_customer"
    TICKETS_TECHNICIAN = "tickets_technician"
    TECHNICIAN = "technician"
    STAFF = "staff"
    """Active staff of `roles`, and with `groups` the WhatsApp groups of that purpose."""
    CUSTOMERS = "customers"
    """Active customers: of an area, of a list, or all."""


class GroupPurpose(StrEnum):
    """What a WhatsApp group is for; decides which notifications it gets."""

    MANAGEMENT = "management"
    TEAM = "team"
    OTHER = "other"


@dataclass(frozen=True)
class Route:
    """How a type goes unless an operator or the request says otherwise.

    `providers` and `unknown_wait_seconds` `None`: the settings. `hours` `None`: at any time. `dedupe_seconds`: nobody
    is told the same (type, subject, stage, channel) twice within it; 0 is off. `suppressible`: opted-out people do not
    get it. One that is not `enabled` is not accepted.
    """

    priority: Priority = Priority.NORMAL
    channels: tuple[Channel, ...] = (Channel.WHATSAPP,)
    validity_seconds: float = DAY
    on_unknown: OnUnknown = OnUnknown.RESEND
    unknown_wait_seconds: float | None = None
    hours: Hours | None = None
    dedupe_seconds: float = 0.0
    suppressible: bool = True
    providers: tuple[str, ...] | None = None
    enabled: bool = True


@dataclass(frozen=True)
class Definition:
    """One type: `shape` is what its data must look like (`None`: free values), `senders` who may ask for it.

    `rows` are the rows of the directory its templates see beside that data, by the names of `ROW_KINDS`; the contract
    stands in `common.rendering.messages`.
    """

    shape: type[shapes.Shape] | None
    recipients: Recipients
    senders: tuple[Role, ...]
    route: Route = field(default_factory=Route)
    roles: tuple[Role, ...] = ()
    groups: tuple[GroupPurpose, ...] = ()
    rows: tuple[str, ...] = ()


ADMIN, MANAGER, SUPERVISOR, NOC, CS = Role.ADMIN, Role.MANAGER, Role.SUPERVISOR, Role.NOC, Role.CS
EVERYONE = tuple(Role)
BOTH = (Channel.WHATSAPP, Channel.EMAIL)
HIGH = Route(priority=Priority.HIGH)
LEISURELY = Route(priority=Priority.LOW, on_unknown=OnUnknown.HOLD, hours=DAYTIME)
T = NotificationType

DEFINITIONS: dict[NotificationType, Definition] = {
    T.TICKET_ASSIGNMENT: Definition(
        shapes.TicketAssignment, Recipients.TICKETS_TECHNICIAN, (ADMIN, SUPERVISOR, NOC, CS), HIGH,
        rows=("technician", "ticket", "customer"),
    ),
    T.TICKET_STATUS_UPDATE: Definition(
        shapes.TicketStatusUpdate, Recipients.TICKETS_CUSTOMER, (ADMIN, SUPERVISOR, NOC, CS),
        rows=("customer", "ticket", "technician"),
    ),
    T.SLA_WARNING: Definition(
        shapes.SlaWarning, Recipients.STAFF, (ADMIN, SUPERVISOR, NOC), HIGH, roles=(SUPERVISOR,),
        rows=("ticket", "customer", "technician"),
    ),
    T.PAYMENT_REMINDER: Definition(
        shapes.PaymentReminder, Recipients.INVOICES_CUSTOMER, (ADMIN, MANAGER, CS), Route(channels=BOTH),
        rows=("customer", "invoice"),
    ),
    T.INSTALLATION_SCHEDULE: Definition(
        shapes.InstallationSchedule, Recipients.CUSTOMER, (ADMIN, SUPERVISOR, NOC, CS),
        rows=("customer", "technician"),
    ),
    T.MAINTENANCE: Definition(
        shapes.Maintenance, Recipients.CUSTOMERS, (ADMIN, SUPERVISOR, NOC),
        rows=("customer",),
    ),
    T.REGISTRATION_CONFIRMATION: Definition(
        shapes.OfCustomer, Recipients.CUSTOMER, (ADMIN, CS),
        rows=("customer", "package"),
    ),
    T.DAILY_SUMMARY: Definition(
        shapes.DailySummary, Recipients.STAFF, (ADMIN, MANAGER),
        roles=(MANAGER, SUPERVISOR), groups=(GroupPurpose.MANAGEMENT,),
    ),
    T.EMERGENCY_ALERT: Definition(
        shapes.EmergencyAlert, Recipients.STAFF, (ADMIN, MANAGER, SUPERVISOR, NOC),
        Route(priority=Priority.CRITICAL, unknown_wait_seconds=0.0, suppressible=False),
        roles=EVERYONE, groups=(GroupPurpose.TEAM, GroupPurpose.MANAGEMENT),
    ),
    T.WELCOME: Definition(
        shapes.OfCustomer, Recipients.CUSTOMER, (ADMIN, CS), Route(on_unknown=OnUnknown.HOLD),
        rows=("customer", "package"),
    ),
    T.UPGRADE_OFFER: Definition(
        shapes.UpgradeOffer, Recipients.CUSTOMER, (ADMIN, MANAGER), LEISURELY,
        rows=("customer", "package"),
    ),
    T.SATISFACTION_SURVEY: Definition(
        shapes.OfTicket, Recipients.TICKETS_CUSTOMER, EVERYONE, LEISURELY,
        rows=("customer", "ticket", "technician"),
    ),
    T.TECHNICIAN_PERFORMANCE: Definition(
        shapes.TechnicianPerformance, Recipients.TECHNICIAN, (ADMIN, MANAGER, SUPERVISOR), LEISURELY,
        rows=("technician",),
    ),
    T.PROMOTION: Definition(
        shapes.Promotion, Recipients.CUSTOMERS, (ADMIN, MANAGER), LEISURELY,
        rows=("customer",),
    ),
    T.PAYMENT_OVERDUE: Definition(
        shapes.PaymentOverdue, Recipients.INVOICES_CUSTOMER, (ADMIN, MANAGER, CS), Route(channels=BOTH),
        rows=("customer", "invoice"),
    ),
    T.PAYMENT_LINK: Definition(
        shapes.OfInvoice, Recipients.INVOICES_CUSTOMER, (ADMIN, MANAGER, CS), HIGH,
        rows=("customer", "invoice"),
    ),
    T.PAYMENT_RECEIVED: Definition(
        shapes.OfInvoice, Recipients.INVOICES_CUSTOMER, (ADMIN, MANAGER, CS), HIGH,
        rows=("customer", "invoice"),
    ),
    T.ACCOUNT_ACTIVATED: Definition(
        shapes.OfCustomer, Recipients.CUSTOMER, (ADMIN, CS),
        rows=("customer", "package"),
    ),
    T.INCIDENT_REPORT: Definition(
        shapes.IncidentReport, Recipients.STAFF, (ADMIN, MANAGER, SUPERVISOR, NOC), HIGH, roles=(ADMIN,)
    ),
    T.WEEKLY_REFLECTION: Definition(shapes.WeeklyReflection, Recipients.STAFF, (ADMIN, MANAGER), roles=(ADMIN,)),
    T.LEARNING_LOG: Definition(shapes.LearningLog, Recipients.STAFF, EVERYONE, roles=(ADMIN,)),
    T.SYSTEM_ALERT: Definition(shapes.SystemAlert, Recipients.STAFF, (ADMIN, NOC), HIGH, roles=(ADMIN,)),
    T.QUOTA_ALERT: Definition(shapes.QuotaAlert, Recipients.STAFF, (ADMIN, NOC), HIGH, roles=(ADMIN,)),
    T.OTP: Definition(
        shapes.Otp, Recipients.GIVEN, (ADMIN, MANAGER, SUPERVISOR, NOC, CS),
        Route(
            priority=Priority.CRITICAL, validity_seconds=300.0, unknown_wait_seconds=0.0, suppressible=False
        ),
    ),
    T.CUSTOM: Definition(None, Recipients.GIVEN, (ADMIN, MANAGER)),
}  # fmt: skip
