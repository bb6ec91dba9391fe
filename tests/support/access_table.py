"""Who may use which route, written down from what the product promises and not from the code.

A route of the application without a row here fails a test, and so does a row without a route.
"""

import re
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry

from api_gateway.domain.access import Scope
from api_gateway.entrypoints.application import routed
from api_gateway.entrypoints.pages import site

ROLES = ("admin", "manager", "supervisor", "noc", "cs", "technician")
ALL = frozenset(ROLES)
ADMIN = frozenset({"admin"})
OPERATORS = frozenset({"admin", "noc"})
DISPATCHERS = frozenset({"admin", "supervisor", "noc"})
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row:
    """`roles` get in with a token, keys of `scope` with that; `open`: no token is asked for at all.

    `values` stand for the path's parameters, in order. `body` passes what is looked at before the right is known.
    """

    method: str
    path: str
    roles: frozenset[str] = NOBODY
    scope: Scope | None = None
    open: bool = False
    values: tuple[str, ...] = ("x", "y")
    body: dict[str, object] | None = field(default=None, hash=False)

    @property
    def key(self) -> str:
        return f"{self.method} {anonymous(self.path)}"

    @property
    def address(self) -> str:
        """A path to ask for; what it names need not be there."""
        values = iter(self.values)
        return re.sub(r"{[^}]*}", lambda _: next(values), self.path)


def anonymous(path: str) -> str:
    """A route's path whatever its parameters are called."""
    return re.sub(r"{[^}]*}", "{}", path)


def application_routes() -> set[str]:
    """Every route of the application but its pages, as rows spell theirs."""
    pages = {f"{method} {route.path}" for part in site.PARTS for route in part.routes for method in route.methods}
    app = routed(cast("Any", None), {}, CollectorRegistry())
    return {
        f"{method} {anonymous(str(route.path))}"
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if method != "HEAD" and f"{method} {route.path}" not in pages
    }


SENDING = {
    "ticket_assignment": frozenset({"admin", "supervisor", "noc", "cs"}),
    "ticket_status_update": frozenset({"admin", "supervisor", "noc", "cs"}),
    "sla_warning": DISPATCHERS,
    "payment_reminder": frozenset({"admin", "manager", "cs"}),
    "installation_schedule": frozenset({"admin", "supervisor", "noc", "cs"}),
    "maintenance": DISPATCHERS,
    "registration_confirmation": frozenset({"admin", "cs"}),
    "daily_summary": frozenset({"admin", "manager"}),
    "emergency_alert": frozenset({"admin", "manager", "supervisor", "noc"}),
    "welcome": frozenset({"admin", "cs"}),
    "upgrade_offer": frozenset({"admin", "manager"}),
    "satisfaction_survey": ALL,
    "technician_performance": frozenset({"admin", "manager", "supervisor"}),
    "promotion": frozenset({"admin", "manager"}),
    "payment_overdue": frozenset({"admin", "manager", "cs"}),
    "payment_link": frozenset({"admin", "manager", "cs"}),
    "payment_received": frozenset({"admin", "manager", "cs"}),
    "account_activated": frozenset({"admin", "cs"}),
    "incident_report": frozenset({"admin", "manager", "supervisor", "noc"}),
    "weekly_reflection": frozenset({"admin", "manager"}),
    "learning_log": ALL,
    "system_alert": OPERATORS,
    "quota_alert": OPERATORS,
    "otp": ALL - {"technician"},
    "custom": frozenset({"admin", "manager"}),
}
"""Who may ask for a notification of a type, and take it back."""

_FIXED = "/api/whatsapp-notifications"
_SEND, _SEE = Scope.NOTIFICATIONS_WRITE, Scope.NOTIFICATIONS_READ

TABLE = (
    Row("POST", "/api/notifications", SENDING["custom"], _SEND, body={"type": "custom", "to": 5}),
    Row("GET", "/api/notifications/{id}", ALL, _SEE),
    Row("POST", "/api/notifications/{id}/cancel", SENDING["custom"], _SEND, values=("{custom}",), body={}),
    Row("POST", f"{_FIXED}/emergency-alert", SENDING["emergency_alert"], _SEND),
    Row("POST", f"{_FIXED}/maintenance", SENDING["maintenance"], _SEND),
    Row("POST", f"{_FIXED}/daily-summary", SENDING["daily_summary"], _SEND),
    Row("GET", f"{_FIXED}/stats", ALL, _SEE),
    Row("POST", f"{_FIXED}/welcome/{{customerId}}", SENDING["welcome"], _SEND),
    Row("POST", f"{_FIXED}/upgrade-offer/{{customerId}}", SENDING["upgrade_offer"], _SEND),
    Row("POST", f"{_FIXED}/survey/{{ticketId}}", SENDING["satisfaction_survey"], _SEND),
    Row("POST", f"{_FIXED}/promotion-campaign", SENDING["promotion"], _SEND),
    Row("POST", f"{_FIXED}/technician-performance/{{technicianId}}", SENDING["technician_performance"], _SEND),
    Row("POST", f"{_FIXED}/installation-schedule/{{customerId}}", SENDING["installation_schedule"], _SEND),
    Row("GET", "/api/deliveries", ALL, Scope.DELIVERIES_READ),
    Row("GET", "/api/deliveries/{id}", ALL, Scope.DELIVERIES_READ),
    Row("POST", "/api/deliveries/{id}/cancel", DISPATCHERS, Scope.DELIVERIES_WRITE),
    Row("POST", "/api/deliveries/{id}/retry", DISPATCHERS, Scope.DELIVERIES_WRITE),
    Row("GET", "/api/dead-deliveries", DISPATCHERS, Scope.DELIVERIES_READ),
    Row("POST", "/api/dead-deliveries/retry", DISPATCHERS, Scope.DELIVERIES_WRITE),
    Row("POST", "/api/dead-deliveries/discard", DISPATCHERS, Scope.DELIVERIES_WRITE),
    Row("GET", "/api/senders", OPERATORS, Scope.SENDERS_READ),
    Row("GET", "/api/senders/{id}", OPERATORS, Scope.SENDERS_READ),
    Row("POST", "/api/senders/{id}/pause", OPERATORS),
    Row("POST", "/api/senders/{id}/resume", OPERATORS),
    Row("POST", "/api/senders/{id}/reset-limits", OPERATORS),
    Row("POST", "/api/senders/{id}/check", OPERATORS),
    Row("GET", "/api/alerts", OPERATORS),
    Row("GET", "/admin/whatsapp-queue/status", OPERATORS, Scope.QUEUE_READ),
    Row("POST", "/admin/whatsapp-queue/clear", OPERATORS),
    Row("POST", "/admin/whatsapp-queue/force-process", OPERATORS),
    Row("POST", "/admin/whatsapp-queue/send-test", OPERATORS),
    Row("GET", "/admin/conservation", OPERATORS, Scope.QUEUE_READ),
    Row("POST", "/admin/restored", ADMIN),
    Row("GET", "/api/parked-envelopes", OPERATORS),
    Row("GET", "/api/parked-envelopes/{id}", OPERATORS),
    Row("POST", "/api/parked-envelopes/{id}/replay", OPERATORS),
    Row("POST", "/api/parked-envelopes/{id}/discard", OPERATORS),
    Row("GET", "/api/directory/{rows}", ADMIN, Scope.DIRECTORY_READ, values=("customers",)),
    Row("POST", "/api/directory/{rows}", ADMIN, Scope.DIRECTORY_WRITE, values=("invoices",)),
    Row("GET", "/api/directory/{rows}/{id}", ADMIN, Scope.DIRECTORY_READ, values=("tickets", "x")),
    Row("PUT", "/api/directory/{rows}/{id}", ADMIN, Scope.DIRECTORY_WRITE, values=("packages", "x")),
    Row("GET", "/api/suppressions", ADMIN),
    Row("POST", "/api/suppressions", ADMIN),
    Row("GET", "/api/suppressions/{recipient}", ADMIN, values=("6281200000001",)),
    Row("DELETE", "/api/suppressions/{recipient}", ADMIN, values=("sup_x",)),
    Row("GET", "/api/erasures", ADMIN),
    Row("POST", "/api/erasures", ADMIN),
    Row("GET", "/api/erasures/{id}", ADMIN),
    Row("GET", "/api/webhook-endpoints", ADMIN),
    Row("POST", "/api/webhook-endpoints", ADMIN),
    Row("GET", "/api/webhook-endpoints/{id}", ADMIN),
    Row("PATCH", "/api/webhook-endpoints/{id}", ADMIN),
    Row("DELETE", "/api/webhook-endpoints/{id}", ADMIN),
    Row("POST", "/api/webhook-endpoints/{id}/test", ADMIN),
    Row("POST", "/api/webhook-endpoints/{id}/rotate-secret", ADMIN),
    Row("GET", "/api/webhook-endpoints/{id}/messages", ADMIN),
    Row("POST", "/api/webhook-endpoints/{id}/messages/{message}/retry", ADMIN),
    Row("POST", "/api/provider-webhooks/rotate-secret", ADMIN),
    Row("GET", "/api/templates", ALL, Scope.TEMPLATES_READ),
    Row("GET", "/api/templates/{name}", ALL, Scope.TEMPLATES_READ),
    Row("GET", "/api/templates/{name}/versions/{version}", ALL, Scope.TEMPLATES_READ, values=("welcome", "1")),
    Row("POST", "/api/templates/{name}/preview", ALL, Scope.TEMPLATES_READ),
    Row("POST", "/api/templates/{name}", ADMIN),
    Row("GET", "/api/routes", ALL),
    Row("GET", "/api/routes/{type}", ALL),
    Row("PATCH", "/api/routes/{type}", ADMIN),
    Row("DELETE", "/api/routes/{type}", ADMIN),
    Row("GET", "/api/whatsapp-groups", ALL),
    Row("POST", "/api/whatsapp-groups", ADMIN),
    Row("GET", "/api/whatsapp-groups/{id}", ALL),
    Row("PATCH", "/api/whatsapp-groups/{id}", ADMIN),
    Row("DELETE", "/api/whatsapp-groups/{id}", ADMIN),
    Row("POST", "/api/whatsapp-groups/sync", ADMIN),
    Row("POST", "/api/whatsapp-groups/{id}/test", ADMIN),
    Row("GET", "/api/api-keys", ADMIN),
    Row("POST", "/api/api-keys", ADMIN),
    Row("DELETE", "/api/api-keys/{id}", ADMIN),
    Row("GET", "/api/audit-log", ADMIN),
    Row("GET", "/api/jobs", OPERATORS),
    Row("GET", "/api/jobs/{name}/runs", OPERATORS),
    Row("GET", "/api/jobs/{name}/runs/{id}", OPERATORS),
    Row("POST", "/api/jobs/{name}/run", OPERATORS),
    Row("POST", "/webhooks/{provider}/{secret}", open=True),
    Row("GET", "/livez", open=True),
    Row("GET", "/readyz", open=True),
    Row("GET", "/metrics", open=True),
    Row("GET", "/openapi.json", open=True),
)

PROMISED: tuple[Row, ...] = ()
"""What the product names and may not be there yet; a row moves to the table once its route is."""
