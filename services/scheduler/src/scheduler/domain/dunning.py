"""Which invoices somebody is reminded of on a day, and who is not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from common.contracts.directory import InvoiceStatus
from common.contracts.vocabulary import NotificationType

Row = Mapping[str, Any]


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


class Obstacle(StrEnum):
    """Why nobody is reminded of an unpaid invoice, besides a suppression, which says so itself."""

    SWITCHED_OFF = "type_switched_off"
    NO_CUSTOMER = "no_customer"
    NO_NUMBER = "no_number"
    ALREADY = "already_dispatched"


def obstacle(customer: Row | None, suppressions: Mapping[str, str], *, heeded: bool) -> str | None:
    """Why a customer gets no reminder; `None` when it can go.

    `suppressions`: reasons by number, which are `heeded` unless the type goes to everybody.
    """
    if customer is None:
        return Obstacle.NO_CUSTOMER
    number = customer.get("phone")
    if number is None:
        return Obstacle.NO_NUMBER
    return suppressions.get(number) if heeded else None


def numbers_of(customers: Collection[Row]) -> set[str]:
    return {customer["phone"] for customer in customers if customer.get("phone") is not None}
