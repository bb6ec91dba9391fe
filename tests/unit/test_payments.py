"""What becomes of a reminder whose invoice is settled."""

from typing import Any, cast

import pytest

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import DeliveryStatus
from dispatcher.domain.payments import invoice_asked_for, no_longer_asked, settled
from tests.support.dispatching.notifications import member, notification


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("paid", ("its invoice I-1 is paid", "INVOICE_PAID")),
        ("cancelled", ("its invoice I-1 is cancelled", "INVOICE_CANCELLED")),
        ("unpaid", None),
        (None, None),
    ],
)
def test_an_invoice_with_nothing_left_to_pay_says_so(status: str | None, why: Any) -> None:
    assert settled({"_id": "I-1"} if status is None else {"_id": "I-1", "status": status}) == why


@pytest.mark.parametrize(
    ("kind", "data", "own", "invoice"),
    [
        ("payment_reminder", {"invoice_id": "I-1"}, {}, "I-1"),
        ("payment_overdue", None, {"data": {"invoice_id": "I-2"}}, "I-2"),
        ("payment_link", {"invoice_id": "I-1"}, {"data": {"invoice_id": "I-2"}}, "I-2"),
        ("payment_received", {"invoice_id": "I-1"}, {}, None),
        ("payment_reminder", None, {}, None),
    ],
)
def test_the_invoice_somebody_is_asked_to_pay(kind: str, data: Any, own: Any, invoice: str | None) -> None:
    assert invoice_asked_for(notification(type=kind, data=data), member(1, **own)) == invoice


@pytest.mark.parametrize(
    ("outcomes", "status"), [([], "cancelled"), (["failed"], "cancelled"), (["unknown"], "unknown")]
)
def test_what_may_have_arrived_is_not_said_to_be_cancelled(outcomes: list[str], status: str) -> None:
    delivery = cast("DeliveryDocument", {"_id": "D", "attempts": [{"outcome": one, "number": 1} for one in outcomes]})
    change = no_longer_asked(delivery, "its invoice I-1 is paid", "INVOICE_PAID")
    assert change.status is DeliveryStatus(status)
    said = change.fields.get("called_off", change.fields["reason"])
    assert said == "its invoice I-1 is paid"
