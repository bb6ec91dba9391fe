"""Which facts ask for which notification, and when they come too late."""

from datetime import UTC, datetime
from typing import Any

import pytest

from common.catalogue.definitions import DEFINITIONS
from common.contracts.facts import InvoicePaid, RowFact, TicketAssigned, TicketStatusChanged
from common.contracts.tellings import Telling
from dispatcher.domain.triggers import TRIGGERS, request, unsaid

WHEN = {"event_id": "evt_1", "occurred_at": datetime(2025, 11, 15, 3, 0, tzinfo=UTC), "version": 7}


def told(fact: RowFact) -> dict[str, Any]:
    return dict(Telling(fact.telling(), fact.occurred_at).fields(UTC))


@pytest.mark.parametrize("event", TRIGGERS, ids=lambda event: event.routing_key)
def test_what_a_fact_asks_for_has_the_shape_its_type_needs(event: type[RowFact]) -> None:
    trigger = TRIGGERS[event]
    values = {"status": None, "technician_id": "X-1", "payment_link": "https://bayar.example/1", "note": "dijadwalkan"}
    if "status" not in event.implies:
        values["status"] = "in_progress" if event is TicketStatusChanged else None
    fact = event.model_validate({**WHEN, "id": "R-1", **values})
    asked = request(fact, "R-1", told(fact), told(fact))
    assert asked is not None
    shape = DEFINITIONS[trigger.type].shape
    assert shape is not None
    assert asked.data is not None
    data = shape.model_validate(asked.data).model_dump(exclude_none=True)
    assert data == asked.data
    assert data[trigger.subject] == "R-1"
    assert (asked.event_id, asked.occurred_at, asked.version) == (f"evt_1.{trigger.type}", WHEN["occurred_at"], 7)


@pytest.mark.parametrize(
    ("row", "asks"),
    [
        ({"technician_id": "X-1"}, True),
        ({"technician_id": "X-1", "status": "in_progress"}, True),
        ({"technician_id": "X-2"}, False),
        ({}, False),
        *(({"technician_id": "X-1", "status": status}, False) for status in ("resolved", "closed", "cancelled")),
    ],
    ids=str,
)
def test_a_technician_is_sent_only_to_an_open_ticket_that_is_still_theirs(row: dict[str, str], asks: bool) -> None:  # noqa: FBT001
    fact = TicketAssigned.model_validate({**WHEN, "id": "T-1", "technicianId": "X-1"})
    assert (request(fact, "T-1", told(fact), row) is not None) == asks


def test_a_fact_that_does_not_say_what_it_is_about_is_noticed() -> None:
    silent = TicketStatusChanged.model_validate({**WHEN, "id": "T-1", "title": "Internet mati"})
    assert unsaid(silent, told(silent)) == "status"
    paid = InvoicePaid.model_validate({**WHEN, "id": "I-1"})
    assert unsaid(paid, told(paid)) is None


def test_the_longest_identity_of_a_fact_still_makes_one_of_a_request() -> None:
    facts = [InvoicePaid.model_validate({**WHEN, "id": "I-1", "event_id": one * 128}) for one in "ab"]
    asked = [request(fact, "I-1", told(fact), told(fact)) for fact in (*facts, facts[0])]
    identities = [one.event_id for one in asked if one is not None]
    assert identities[0] == identities[2] != identities[1]
