"""What was said to people, and who they were, goes when it is old; what is counted stays."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api_gateway.adapters.mongo_deliveries import MongoDeliveries
from api_gateway.adapters.mongo_ledger import MongoLedger
from api_gateway.adapters.mongo_statistics import MongoStatistics
from api_gateway.application.ports import Selection
from common.contracts.directory import Invoice, Ticket
from common.contracts.tellings import Telling
from common.contracts.vocabulary import WAITING, DeliveryStatus
from common.kernel.identity import delivery_id
from common.mongo.connection import Mongo, connect
from common.mongo.directory import Directory
from common.testing.clock import HandClock
from scheduler.adapters.mongo_old_contents import BATCH, MongoOldContents
from scheduler.application.ports import Firing, Tally
from scheduler.application.remove_old_contents import Removed, RemoveOldContents
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification

NOW = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=90, seconds=1), NOW - timedelta(days=89)
NUMBER, NAME, TEXT = "6281200000001", "Siti Aminah", "tagihan Rp 250.000"
Document = dict[str, Any]


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


async def run(mongo: Mongo, *, days: int = 90, dry_run: bool = False) -> Tally:
    job = RemoveOldContents(MongoOldContents(mongo), HandClock(NOW), days)
    return await job.run(Firing("retention", NOW, NOW.date(), dry_run))


async def told(mongo: Mongo, status: str = "sent", *, at: datetime = OLD, **changes: Any) -> Document:
    """One notification to one person, with everything that could name them."""
    number = await mongo["notifications"].count_documents({})
    notification = stored_notification(
        _id=f"ntf_{int(at.timestamp() * 1000):012x}{number:016x}",
        created_at=at,
        message=f"Halo {NAME}, {TEXT}",
        data={"name": NAME},
        audience=[{"to": NUMBER, "data": {"name": NAME}}],
        subject="customer C-1",
        stage=NUMBER,
        created_by="sari@example.com",
    )
    delivery = stored_delivery(
        status,
        notification=notification,
        to=NUMBER,
        message=f"Halo {NAME}, {TEXT}",
        reason=f"fonnte-1: {NUMBER} is not on WhatsApp",
        sent_by="fonnte",
        attempts=[past_attempt(1, provider_message_id="msg-1", state_id="state-1")],
        timeline=[{"at": at, "status": status, "cause": f"fonnte-1: no {NUMBER} ({NAME})", "revision": 4}],
        **changes,
    )
    await mongo["notifications"].insert_one(notification)
    await mongo["deliveries"].insert_one(delivery)
    return delivery


async def everything(mongo: Mongo) -> str:
    collections = await mongo.database.list_collection_names()
    return str([await mongo[name].find().to_list(None) for name in collections])


def lines(tally: Tally) -> dict[str, tuple[int, int]]:
    return {line.name: (line.found, line.dispatched) for line in tally.lines}


async def test_of_what_is_old_nothing_is_left_that_names_somebody(mongo: Mongo) -> None:
    kept = await told(mongo, "read")
    assert lines(await run(mongo)) == {"notifications": (1, 1), "deliveries": (1, 1)}
    left = await everything(mongo)
    assert not [word for word in (NUMBER, NAME, TEXT, "C-1", "sari", "msg-1", "state-1") if word in left]
    found = await mongo["deliveries"].find_one({"_id": kept["_id"]})
    assert found is not None
    assert (found["status"], found["contents_removed_at"]) == ("read", NOW)
    assert [entry["at"] for entry in found["timeline"]] == [OLD]
    assert (found["attempts"][0]["provider"], found["attempts"][0]["outcome"]) == ("fonnte", "failed")


@pytest.mark.parametrize("status", [status for status in DeliveryStatus if status not in WAITING])
async def test_however_it_ended_its_figures_stay(mongo: Mongo, status: DeliveryStatus) -> None:
    await told(mongo, status)
    before = await MongoStatistics(mongo).since(OLD - timedelta(days=1)), await MongoLedger(mongo).conservation()
    await run(mongo)
    assert NUMBER not in await everything(mongo)
    assert before == (
        await MongoStatistics(mongo).since(OLD - timedelta(days=1)),
        await MongoLedger(mongo).conservation(),
    )


async def test_nobody_is_found_by_their_number_any_more(mongo: Mongo) -> None:
    await told(mongo)
    await run(mongo)
    deliveries = MongoDeliveries(mongo)
    assert await deliveries.page(Selection(recipient=NUMBER, limit=10)) == []
    assert len(await deliveries.page(Selection(limit=10))) == 1


async def test_what_is_younger_stays_as_it_is(mongo: Mongo) -> None:
    await told(mongo, at=YOUNG)
    before = await everything(mongo)
    assert (await run(mongo)).found == 0
    assert await everything(mongo) == before


@pytest.mark.parametrize("status", sorted(WAITING))
async def test_what_still_waits_is_never_touched_however_old(mongo: Mongo, status: str) -> None:
    await told(mongo, status)
    before = await everything(mongo)
    tally = await run(mongo)
    assert await everything(mongo) == before
    assert tally.skipped == {"not over": 1}


@pytest.mark.parametrize("collection", ["notifications", "deliveries"])
async def test_what_others_are_still_to_be_told_of_is_never_touched(mongo: Mongo, collection: str) -> None:
    await told(mongo)
    await mongo[collection].update_one({}, {"$set": {"announce_at": OLD}})
    before = await everything(mongo)
    await run(mongo)
    assert await everything(mongo) == before


async def test_what_nobody_has_planned_is_never_touched(mongo: Mongo) -> None:
    waiting = stored_notification(created_at=OLD, status="accepted", wake_at=OLD, audience=[{"to": NUMBER}])
    await mongo["notifications"].insert_one(waiting)
    await run(mongo)
    assert NUMBER in await everything(mongo)


async def test_one_that_waits_keeps_none_of_the_others(mongo: Mongo) -> None:
    await told(mongo, "queued")
    await told(mongo)
    assert lines(await run(mongo))["notifications"] == (2, 1)


async def broadcast(mongo: Mongo, recipients: int) -> None:
    notification = stored_notification(created_at=OLD, audience=[], pages=2, recipients=recipients)
    pages = [
        {"_id": f"{notification['_id']}:{n}", "notification_id": notification["_id"], "created_at": OLD,
         "members": [{"to": NUMBER}]} for n in range(2)
    ]  # fmt: skip
    await mongo["notifications"].insert_one(notification)
    await mongo["audience_pages"].insert_many(pages)
    people = [f"62812{n:08d}" for n in range(recipients)]
    await mongo["deliveries"].insert_many(
        [
            stored_delivery("sent", notification=notification, to=one)
            | {"_id": delivery_id(notification["_id"], "whatsapp", one)}
            for one in people
        ]
    )


async def test_a_broadcast_goes_in_batches_with_its_pages(mongo: Mongo) -> None:
    await broadcast(mongo, 2 * BATCH + 1)
    contents = MongoOldContents(mongo)
    sizes = [batch async for batch in contents.remove(NOW, now=NOW, dry_run=False)]
    assert [one.found for one in sizes if one.collection == "deliveries"] == [BATCH, BATCH, 1]
    assert await mongo["audience_pages"].count_documents({}) == 0
    assert await mongo["deliveries"].count_documents({"recipient": {"$gt": ""}}) == 0


async def test_what_a_crash_left_half_done_the_next_run_finishes(mongo: Mongo) -> None:
    await broadcast(mongo, BATCH + 1)
    halves = MongoOldContents(mongo).remove(NOW, now=NOW, dry_run=False)
    first: Removed = await anext(halves)
    await halves.aclose()  # type: ignore[attr-defined]
    assert (first.collection, first.removed) == ("deliveries", BATCH)
    assert await mongo["notifications"].count_documents({"contents_removed_at": {"$exists": True}}) == 0
    assert lines(await run(mongo)) == {"deliveries": (1, 1), "audience_pages": (2, 2), "notifications": (1, 1)}
    assert lines(await run(mongo)) == {}


async def test_a_dry_run_counts_and_changes_nothing(mongo: Mongo) -> None:
    await told(mongo)
    await told(mongo, "queued")
    await broadcast(mongo, 3)
    before = await everything(mongo)
    tally = await run(mongo, dry_run=True)
    assert await everything(mongo) == before
    assert lines(tally) == lines(await run(mongo))


async def test_for_ever_means_for_ever(mongo: Mongo) -> None:
    await told(mongo, at=NOW - timedelta(days=9_000))
    before = await everything(mongo)
    assert await run(mongo, days=0) == Tally()
    assert await everything(mongo) == before


async def test_a_day_that_is_to_come_does_not_make_anything_older(mongo: Mongo) -> None:
    await told(mongo, at=YOUNG)
    job = RemoveOldContents(MongoOldContents(mongo), HandClock(NOW), 90)
    assert (await job.run(Firing("retention", NOW, (NOW + timedelta(days=900)).date()))).found == 0


async def test_the_other_collections_lose_what_is_as_old(mongo: Mongo) -> None:
    over: dict[str, Document] = {
        "idempotency_keys": {"created_at": OLD, "body": NAME.encode()},
        "early_reports": {"expires_at": OLD, "report": {"text": NAME}},
        "recipient_gates": {"_id": NUMBER, "touched_at": OLD},
        "webhook_messages": {"created_at": OLD, "status": "delivered", "body": NAME},
        "wishes": {"_id": NUMBER, "at": OLD, "unheeded": []},
        "parked_envelopes": {"parked_at": OLD, "body": NAME, "replayed_at": OLD},
    }
    for collection, document in over.items():
        await mongo[collection].insert_one(document)
    assert lines(await run(mongo)) == dict.fromkeys(over, (1, 1))
    left = await everything(mongo)
    assert NUMBER not in left
    assert NAME not in left


async def test_what_waits_for_somebody_in_the_other_collections_stays(mongo: Mongo) -> None:
    await mongo["webhook_messages"].insert_one({"created_at": OLD, "status": "pending", "body": NAME})
    await mongo["wishes"].insert_one({"_id": NUMBER, "at": OLD, "unheeded": ["message-1"]})
    assert (await run(mongo)).found == 0


async def test_an_envelope_nobody_came_for_in_all_that_time_is_discarded_without_its_body(mongo: Mongo) -> None:
    await mongo["parked_envelopes"].insert_one(
        {"_id": "q:1", "queue": "q", "parked_at": OLD, "body": NAME, "reason": NAME}
    )
    assert lines(await run(mongo)) == {"parked_envelopes": (1, 1)}
    left = await mongo["parked_envelopes"].find_one()
    assert left is not None
    assert (left["body"], left["discarded_by"], left["discarded_at"]) == ("", "retention", NOW)
    assert NAME not in str(left)


async def test_a_suppression_loses_its_note_and_nothing_else(mongo: Mongo) -> None:
    listed = f"sup_{int(OLD.timestamp() * 1000):012x}{0:016x}"
    await mongo["suppressions"].insert_one({"_id": NUMBER, "reason": "blocked", "note": NAME, "listed_as": listed})
    await run(mongo)
    assert await mongo["suppressions"].find_one() == {
        "_id": NUMBER, "reason": "blocked", "note": None, "listed_as": listed,
    }  # fmt: skip


async def test_a_settled_ticket_and_invoice_lose_their_texts_until_they_are_told_something_later(mongo: Mongo) -> None:
    directory = Directory(mongo)
    ticket = Ticket(id="T-1", title=f"Internet {NAME} mati", description=NAME, note=NAME, status="closed")
    link = Invoice(id="I-1", payment_link="https://pay.example.com/siti", amount=250_000, status="paid")
    still_open = Ticket(id="T-2", title="Internet mati", status="open")
    await directory.tell("tickets", [Telling(ticket, OLD, 1), Telling(still_open, OLD, 1)])
    await directory.tell("invoices", [Telling(link, OLD, 1)])
    for kind in ("tickets", "invoices"):
        await mongo[kind].update_many({}, {"$set": {"changed_at": OLD}})
    assert lines(await run(mongo)) == {"tickets": (1, 1), "invoices": (1, 1)}
    await directory.tell("tickets", [Telling(ticket, OLD, 1)])  # the same word comes again
    left = await everything(mongo)
    assert NAME not in left
    assert "aminah" not in left
    assert "pay.example.com" not in left
    assert (await directory.get("tickets", "T-2") or {})["title"] == "Internet mati"
    assert (await directory.get("invoices", "I-1") or {})["amount"] == 250_000
    await directory.tell("tickets", [Telling(Ticket(id="T-1", title="baru"), NOW)])
    assert (await directory.get("tickets", "T-1") or {})["title"] == "baru"


async def test_what_is_old_is_found_by_an_index_though_much_was_emptied_before(mongo: Mongo) -> None:
    await mongo["notifications"].insert_many(
        [stored_notification(_id=f"ntf_{n:028x}", created_at=OLD, created_by="") for n in range(2_000)]
    )
    await told(mongo)
    query = {"created_by": {"$gt": ""}, "created_at": {"$lt": NOW}}
    command = {"find": "notifications", "filter": query, "sort": {"created_at": 1, "_id": 1}, "hint": "with_contents"}
    plan = await mongo.database.command("explain", command, verbosity="executionStats")
    assert plan["executionStats"]["totalKeysExamined"] == 1
    assert "SORT" not in str(plan["queryPlanner"]["winningPlan"]["stage"])
