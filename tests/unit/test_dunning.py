"""Of which invoices somebody is reminded, and who is not."""

from datetime import date
from typing import Any

import pytest

from common.catalogue.definitions import DEFINITIONS
from common.contracts.vocabulary import Channel, NotificationType
from scheduler.domain.dunning import STAGES
from scheduler.domain.obstacles import obstacle

DAY = date(2025, 11, 15)
REMINDER, OVERDUE = NotificationType.PAYMENT_REMINDER, NotificationType.PAYMENT_OVERDUE


def test_the_stages_of_a_day() -> None:
    told = [(stage.name, stage.due_date(DAY), stage.type, stage.told_with("I")) for stage in STAGES]
    assert told == [
        ("T-7", date(2025, 11, 22), REMINDER, {"invoice_id": "I", "days_left": 7}),
        ("T-3", date(2025, 11, 18), REMINDER, {"invoice_id": "I", "days_left": 3}),
        ("T-1", date(2025, 11, 16), REMINDER, {"invoice_id": "I", "days_left": 1}),
        ("T+3", date(2025, 11, 12), OVERDUE, {"invoice_id": "I", "days_overdue": 3}),
    ]


def test_the_days_are_those_of_the_calendar_at_the_ends_of_months_and_years() -> None:
    assert [stage.due_date(date(2024, 2, 28)) for stage in STAGES] == [
        date(2024, 3, 6),
        date(2024, 3, 2),
        date(2024, 2, 29),
        date(2024, 2, 25),
    ]
    assert STAGES[0].due_date(date(2025, 12, 31)) == date(2026, 1, 7)


def test_what_is_told_once_is_told_apart_by_invoice_stage_and_day() -> None:
    once = {stage.once(invoice, day) for stage in STAGES for invoice in ("I-1", "I-2") for day in (DAY, DAY.min)}
    assert len(once) == 16
    assert STAGES[1].once("INV-1", DAY) == "dunning.INV-1.T-3.2025-11-15"


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_the_data_of_a_stage_is_what_its_type_is_told_with(stage: Any) -> None:
    shape = DEFINITIONS[stage.type].shape
    assert shape is not None
    shape.model_validate(stage.told_with("INV-1"))


SARI, MAIL = {"_id": "C-1", "phone": "6281200000001"}, {"_id": "C-1", "email": "sari@example.com"}
BOTH = [Channel.WHATSAPP, Channel.EMAIL]
NUMBER, ADDRESS = "6281200000001", "sari@example.com"


@pytest.mark.parametrize(
    ("customer", "channels", "suppressed", "reason"),
    [
        (SARI, BOTH, {}, None),
        (MAIL, BOTH, {}, None),
        (None, BOTH, {}, "no_customer"),
        ({"_id": "C-1"}, BOTH, {}, "no_number"),
        (MAIL, [Channel.WHATSAPP], {}, "no_number"),
        (SARI, BOTH, {NUMBER: "opt_out"}, "opt_out"),
        (SARI | MAIL, BOTH, {NUMBER: "opt_out"}, "opt_out"),
        (SARI | MAIL, BOTH, {NUMBER: "blocked"}, "blocked"),
        (SARI | MAIL, BOTH, {ADDRESS: "opt_out"}, "opt_out"),
        (SARI, BOTH, {NUMBER: "invalid_number"}, "invalid_number"),
        (SARI | MAIL, BOTH, {NUMBER: "invalid_number"}, None),
        (SARI | MAIL, [Channel.WHATSAPP], {NUMBER: "invalid_number"}, "invalid_number"),
        (SARI, BOTH, {ADDRESS: "opt_out"}, None),
        ({"email": ADDRESS.title()}, BOTH, {ADDRESS: "opt_out"}, "opt_out"),
        ({"email": "siti@example"}, BOTH, {}, "no_number"),
    ],
)
def test_who_gets_no_reminder_and_why(customer: Any, channels: Any, suppressed: Any, reason: str | None) -> None:
    assert obstacle(customer, channels, suppressed, mail_is_on=True) == reason


@pytest.mark.parametrize(
    ("customer", "suppressed", "reason"),
    [
        (SARI, {}, None),
        (SARI | MAIL, {}, None),
        (MAIL, {}, "mail_off"),
        ({"_id": "C-1"}, {}, "no_number"),
        (SARI | MAIL, {NUMBER: "invalid_number"}, "invalid_number"),
        (SARI | MAIL, {ADDRESS: "invalid_number"}, None),
        (SARI | MAIL, {ADDRESS: "opt_out"}, "opt_out"),
    ],
)
def test_without_mail_whoever_has_an_address_only_is_not_reached(customer: Any, suppressed: Any, reason: Any) -> None:
    assert obstacle(customer, BOTH, suppressed, mail_is_on=False) == reason
