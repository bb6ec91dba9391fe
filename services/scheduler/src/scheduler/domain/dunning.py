"""Which invoices somebody is reminded of on a day."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from common.contracts.directory import InvoiceStatus
from common.contracts.vocabulary import NotificationType


@dataclass(frozen=True)
class Stage:
    """`days` until an invoice is due, negative when it is overdue."""

    name: str
    days: int

    @property
    def type(self) -> NotificationType:
        return NotificationType.PAYMENT_REMINDER if self.days >= 0 else NotificationType.PAYMENT_OVERDUE

    def due_date(self, day: date) -> date:
        """When an invoice is due of which its customer is told on `day`."""
        return day + timedelta(days=self.days)

    def told_with(self, invoice_id: str) -> dict[str, Any]:
        """The data of its notification."""
        days = {"days_left": self.days} if self.days >= 0 else {"days_overdue": -self.days}
        return {"invoice_id": invoice_id, **days}

    def once(self, invoice_id: str, day: date) -> str:
        """What is never told again."""
        return f"dunning.{invoice_id}.{self.name}.{day.isoformat()}"


STAGES = (Stage("T-7", 7), Stage("T-3", 3), Stage("T-1", 1), Stage("T+3", -3))
SETTLED = (InvoiceStatus.PAID, InvoiceStatus.CANCELLED)
"""Statuses of an invoice nobody is reminded of; whatever is neither is to be paid."""
