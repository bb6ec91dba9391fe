"""What other services tell on the bus ends in the right row, and where somebody is to be notified, in one request."""

import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from pydantic.alias_generators import to_camel

from common.contracts.event import Event
from common.contracts.facts import RowFact
from common.kernel.phone import normalise_recipient
from common.mongo.connection import Document
from common.mongo.erased_addresses import ErasedAddresses
from common.topology.declarations import EVENTS, FACTS, REQUESTS
from tests.support.bus import raw_channel
from tests.support.dispatching.polling import until
from tests.support.dispatching.process import DispatcherProcess
from tests.support.dispatching.world import World

SAMPLES = Path(__file__).parents[1] / "contract" / "samples"
ROW_FACTS = sorted(key for key, event in Event.catalogue.items() if issubclass(event, RowFact))
REQUESTED = {
    "customer.registered": ("registration_confirmation", {"customer_id": "C-1"}),
    "customer.activated": ("account_activated", {"customer_id": "C-1"}),
    "ticket.assigned": ("ticket_assignment", {"ticket_id": "T-1", "technician_id": "X-1"}),
    "ticket.status_changed": ("ticket_status_update", {"ticket_id": "T-1", "note": "dijadwalkan"}),
    "invoice.payment_link_created": ("payment_link", {"invoice_id": "I-1"}),
    "invoice.paid": ("payment_received", {"invoice_id": "I-1"}),
}
IMPLIED = {
    "customer.registered": "registered",
    "customer.activated": "active",
    "customer.deactivated": "inactive",
    "ticket.created": "open",
    "invoice.issued": "unpaid",
    "invoice.paid": "paid",
    "invoice.cancelled": "cancelled",
}


class Bus:
    """Another service: it publishes facts and sees which notifications are asked for."""

    def __init__(self, world: World, dispatcher: DispatcherProcess) -> None:
        self.world = world
        self.dispatcher = dispatcher
        self.told = 0
        self.requests: list[dict[str, Any]] = []

    async def tell(self, *facts: tuple[str, dict[str, Any]]) -> None:
        """Publish them and wait until each has been handled or parked."""
        async with raw_channel(self.world.rabbitmq_url) as channel:
            exchange = await channel.get_exchange(EVENTS.name)
            for key, body in facts:
                message = aio_pika.Message(json.dumps(body).encode(), message_id=str(body.get("event_id", "")))
                await exchange.publish(message, key)
        self.told += len(facts)
        await self.world.metric_reaches(self.told, "envelope_handled_total", queue=FACTS.name)
        async with raw_channel(self.world.rabbitmq_url) as channel:
            queue = await channel.get_queue(REQUESTS.name)
            while (taken := await queue.get(no_ack=True, fail=False)) is not None:
                assert taken.message_id == json.loads(taken.body)["event_id"]
                self.requests.append(json.loads(taken.body))

    @property
    def asked(self) -> list[tuple[str, dict[str, Any]]]:
        return [(one["type"], one["data"]) for one in self.requests]

    async def row(self, kind: str, identity: str) -> Document:
        found = await self.world.mongo[kind].find_one({"_id": identity})
        assert found is not None
        return found

    async def parked(self) -> Document:
        async def kept() -> Document | None:
            return await self.world.mongo["parked_envelopes"].find_one({"queue": FACTS.name})

        found = await until(kept)
        assert found is not None
        return found


@pytest.fixture
async def bus(dispatching: World) -> Bus:
    return Bus(dispatching, await dispatching.dispatcher())


def sample(key: str, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((SAMPLES / f"{key}.v1.json").read_bytes())
    return body | changes


async def test_a_fact_of_before_somebody_was_erased_makes_nobody_and_asks_for_nothing(bus: Bus) -> None:
    hers = sample("customer.registered")
    erased_at = datetime.fromisoformat(hers["occurred_at"]) + timedelta(hours=1)
    await ErasedAddresses(bus.world.mongo).add([normalise_recipient(hers["phone"])], erased_at)
    await bus.tell(("customer.registered", hers))
    row = await bus.row("customers", hers["id"])
    assert not {"name", "phone", "email", "address"} & set(row)
    assert not bus.requests
    assert await bus.world.mongo["parked_envelopes"].count_documents({}) == 0
    (said,) = [line for line in bus.dispatcher.log.read_text().splitlines() if "fact.left_out" in line]
    assert hers["event_id"] in said
    assert not [word for word in (hers["phone"], hers["name"], hers["id"]) if word in said]
    later = (erased_at + timedelta(minutes=1)).isoformat()
    await bus.tell(("customer.registered", hers | {"event_id": "evt_later", "occurred_at": later}))
    assert (await bus.row("customers", hers["id"]))["name"] == hers["name"]
    assert bus.asked == [REQUESTED["customer.registered"]]


def ticket(key: str, number: int, **fields: Any) -> tuple[str, dict[str, Any]]:
    """A fact about ticket T-1 at the second `number`, with nothing but these fields."""
    moment = f"2025-11-15T03:00:{number:02d}Z"
    return key, {"event_id": f"evt_{key}_{number}", "occurred_at": moment, "version": number, "id": "T-1", **fields}


@pytest.mark.parametrize("spelled", [str, to_camel], ids=["snake_case", "camelCase"])
async def test_every_fact_ends_in_its_row_and_in_the_request_it_calls_for(bus: Bus, spelled: Any) -> None:
    for number, key in enumerate(ROW_FACTS):
        body = sample(key, event_id=f"evt_{key}", id=sample(key)["id"])
        if key in IMPLIED:
            del body["status"]
        await bus.world.mongo[Event.catalogue[key].row.kind].delete_many({})  # type: ignore[attr-defined]
        await bus.tell((key, {spelled(name): value for name, value in body.items()}))
        row = await bus.row(Event.catalogue[key].row.kind, body["id"])  # type: ignore[attr-defined]
        assert row["told"].keys() == set(body) - {"event_id", "occurred_at", "version", "id"} | (
            {"status"} if key in IMPLIED else set()
        )
        assert all(stamp[1] == 7 for stamp in row["told"].values())
        assert row.get("status") == IMPLIED.get(key, body.get("status"))
        assert row.get("phone") in {None, "6281200000001", "6281200000002", "6281200000003"}
        expected = REQUESTED.get(key)
        assert bus.asked == ([] if expected is None else [expected]), (number, key)
        if expected is not None:
            assert bus.requests[0]["event_id"] == f"evt_{key}.{expected[0]}"
            assert bus.requests[0]["occurred_at"] == body["occurred_at"]
        bus.requests.clear()


async def test_an_answered_survey_is_the_tickets_rating(bus: Bus) -> None:
    later = {"event_id": "evt_2", "occurred_at": "2025-11-15T05:00:00Z", "ticketId": "T-1", "rating": 2}
    await bus.tell(("survey.answered", later), ("survey.answered", sample("survey.answered")))
    assert (await bus.row("tickets", "T-1"))["rating"] == 2
    assert not bus.asked


async def test_what_comes_late_of_a_kind_that_was_told_again_changes_nothing_and_asks_for_nothing(bus: Bus) -> None:
    await bus.tell(ticket("ticket.status_changed", 3, status="closed", title="Internet mati"))
    assert bus.asked == [("ticket_status_update", {"ticket_id": "T-1"})]
    await bus.tell(
        ticket("ticket.status_changed", 2, status="in_progress", category="gangguan"),
        ticket("ticket.status_changed", 1, status="closed"),
    )
    row = await bus.row("tickets", "T-1")
    assert (row["status"], row["title"], row["category"]) == ("closed", "Internet mati", "gangguan")
    assert len(bus.asked) == 1


async def test_a_late_fact_whose_news_still_holds_is_told_all_the_same(bus: Bus) -> None:
    """Whole rows come with every fact: a later one of another kind repeats what this one is about."""
    await bus.tell(ticket("ticket.status_changed", 2, status="in_progress", technician_id="X-1"))
    await bus.tell(ticket("ticket.assigned", 1, status="assigned", technician_id="X-1"))
    assert bus.asked[1:] == [("ticket_assignment", {"ticket_id": "T-1", "technician_id": "X-1"})]
    assert (await bus.row("tickets", "T-1"))["status"] == "in_progress"


@pytest.mark.parametrize(
    ("later", "late"),
    [
        (("ticket.assigned", {"technician_id": "X-2"}), ("ticket.assigned", {"technician_id": "X-1"})),
        (("ticket.status_changed", {"status": "closed"}), ("ticket.assigned", {"technician_id": "X-1"})),
    ],
    ids=["another technician", "a closed ticket"],
)
async def test_nobody_is_sent_to_a_ticket_that_has_gone_on(bus: Bus, later: Any, late: Any) -> None:
    await bus.tell(ticket(later[0], 2, **later[1]))
    await bus.tell(ticket(late[0], 1, **late[1]))
    assert len(bus.asked) == 1


async def test_no_payment_link_is_sent_for_what_is_paid(bus: Bus) -> None:
    paid = sample("invoice.paid", event_id="evt_2", occurred_at="2025-11-15T05:00:00Z", status="paid")
    await bus.tell(("invoice.paid", paid))
    await bus.tell(("invoice.payment_link_created", sample("invoice.payment_link_created")))
    assert [kind for kind, _ in bus.asked] == ["payment_received"]


async def test_a_fact_that_comes_again_asks_again_under_the_same_identity(bus: Bus) -> None:
    fact = ticket("ticket.status_changed", 1, status="in_progress")
    for _ in range(2):
        await bus.tell(fact)
    assert [one["event_id"] for one in bus.requests] == ["evt_ticket.status_changed_1.ticket_status_update"] * 2


async def test_ten_copies_of_every_fact_in_any_order_end_in_the_same_rows(bus: Bus) -> None:
    facts = [
        ticket("ticket.created", 1, title="Internet mati", customer_id="C-1"),
        ticket("ticket.assigned", 2, technician_id="X-1", status="assigned"),
        ticket("ticket.assigned", 3, technician_id="X-2"),
        ticket("ticket.status_changed", 4, status="in_progress"),
        ticket("ticket.status_changed", 5, status="resolved", note="selesai"),
    ]
    copies = facts * 10
    random.Random(5).shuffle(copies)
    await bus.world.dispatcher()
    await bus.tell(*copies)
    row = await bus.row("tickets", "T-1")
    kept = {name: row[name] for name in ("title", "customer_id", "technician_id", "status", "note")}
    assert kept == {
        "title": "Internet mati", "customer_id": "C-1", "technician_id": "X-2", "status": "resolved", "note": "selesai",
    }  # fmt: skip
    assert await bus.world.mongo["tickets"].count_documents({}) == 1
    assert ("ticket_status_update", {"ticket_id": "T-1", "note": "selesai"}) in bus.asked


@pytest.mark.parametrize(
    ("key", "changes", "field"),
    [
        ("customer.updated", {"phone": "021-5550100"}, "phone"),
        ("customer.updated", {"status": "gone"}, "status"),
        ("customer.updated", {"name": "Sa\x00ri"}, "name"),
        ("ticket.status_changed", {"status": None}, "status"),
        ("invoice.issued", {"amount": "banyak"}, "amount"),
        ("invoice.issued", {"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
        ("invoice.issued", {"occurred_at": "2025-11-15T03:00:00"}, "occurred_at"),
        ("survey.answered", {"rating": 6}, "rating"),
    ],
)
async def test_what_cannot_be_kept_is_parked_with_the_fields_name_and_holds_nothing_up(
    bus: Bus, key: str, changes: dict[str, Any], field: str
) -> None:
    await bus.tell((key, sample(key, **changes)), ("package.updated", sample("package.updated")))
    parked = await bus.parked()
    assert parked["reason"].startswith(f"not valid: {field}: ")
    assert parked["routing_key"] == key
    assert await bus.row("packages", sample("package.updated")["id"])
    assert await bus.world.mongo["customers"].count_documents({}) == 0
    assert not bus.asked
