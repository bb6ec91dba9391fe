"""What a notification is about, so that nobody need be told the same twice."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from common.contracts.vocabulary import NotificationType as T

Values = Mapping[str, Any]
Subject = tuple[str, str | None]
"""The subject and, where it is spoken of more than once, the stage."""


def _of(what: str, name: str) -> Callable[[Values], Subject]:
    return lambda data: (f"{what} {data[name]}", None)


def _alert(what: str, data: Values) -> Subject:
    return what, "resolved" if data.get("resolved") else "begun"


_TICKET, _INVOICE, _CUSTOMER = _of("ticket", "ticket_id"), _of("invoice", "invoice_id"), _of("customer", "customer_id")
_SUBJECTS: dict[T, Callable[[Values], Subject]] = {
    T.TICKET_ASSIGNMENT: lambda data: (f"ticket {data['ticket_id']}", data.get("technician", {}).get("id")),
    T.TICKET_STATUS_UPDATE: lambda data: (f"ticket {data['ticket_id']}", data.get("ticket", {}).get("status")),
    T.SLA_WARNING: _TICKET,
    T.SATISFACTION_SURVEY: _TICKET,
    T.PAYMENT_REMINDER: lambda data: (f"invoice {data['invoice_id']}", f"T-{data['days_left']}"),
    T.PAYMENT_OVERDUE: lambda data: (f"invoice {data['invoice_id']}", f"T+{data['days_overdue']}"),
    T.PAYMENT_LINK: _INVOICE,
    T.PAYMENT_RECEIVED: _INVOICE,
    T.REGISTRATION_CONFIRMATION: _CUSTOMER,
    T.WELCOME: _CUSTOMER,
    T.ACCOUNT_ACTIVATED: _CUSTOMER,
    T.UPGRADE_OFFER: lambda data: (f"customer {data['customer_id']}", data["upgrade_package_id"]),
    T.INSTALLATION_SCHEDULE: lambda data: (f"customer {data['customer_id']}", f"{data['date']} {data['time']}"),
    T.MAINTENANCE: lambda data: (f"area {data['area']}", f"{data['start_date']} {data['start_time']}"),
    T.DAILY_SUMMARY: _of("day", "date"),
    T.TECHNICIAN_PERFORMANCE: lambda data: (f"technician {data['technician_id']}", data.get("period")),
    T.PROMOTION: _of("campaign", "campaign_title"),
    T.WEEKLY_REFLECTION: _of("period", "period"),
    T.SYSTEM_ALERT: lambda data: _alert(f"alert {data['cause']}", data),
    T.QUOTA_ALERT: lambda data: _alert(f"sender {data['sender']} of {data['provider']}", data),
}


def subject(notification_type: T, data: Values) -> Subject:
    """What it is about, from what its template sees. What has no name of its own is told by its content."""
    if notification_type in _SUBJECTS:
        return _SUBJECTS[notification_type](data)
    content = json.dumps(data, sort_keys=True, default=str).encode()
    return f"content {hashlib.blake2b(content, digest_size=8).hexdigest()}", None
