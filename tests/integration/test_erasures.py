"""Whoever wants to be forgotten is, wherever their traces are; what is counted, and what they wished, stays."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api_gateway.adapters.mongo_ledger import MongoLedger
from api_gateway.adapters.mongo_parked_envelopes import MongoParkedEnvelopes
from api_gateway.adapters.mongo_statistics import MongoStatistics
from common.contracts.directory import Customer, CustomerStatus, Invoice, Staff, Technician, Ticket
from common.contracts.documents import SuppressionDocument
from common.contracts.tellings import Erased, Outcome, Telling
from common.contracts.vocabulary import SuppressionReason
from common.kernel.identity import delivery_id
from common.mongo.connection import Mongo, connect
from common.mongo.directory import Directory
from common.mongo.suppressions import Suppressions
from common.testing.clock import HandClock
from scheduler.adapters.mongo_erasures import MongoErasures
from scheduler.adapters.mongo_traces import BATCH, REASON, MongoTraces
from scheduler.application.erase_people import ErasePeople
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification

NOW = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)
SITI, BUDI, MAIL = "6281200000001", "6281200000002", "siti@example.com"
NAME, TEXT = "Siti Aminah", "tagihan Rp 250.000"
HERS = (SITI, MAIL, NAME, TEXT, "Aminah", "aminah", "Jalan Melati")
Document = dict[str, Any]


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


def eraser(mongo: Mongo, clock: HandClock) -> ErasePeople:
    traces = MongoTraces(mongo, Directory(mongo), Suppressions(mongo, ZoneInfo("Asia/Jakarta")))
    return ErasePeople(MongoErasures(mongo), traces, clock)


async def asked(mongo: Mongo, by: str = "phone", wanted: str = SITI, *, dry_run: bool = False) -> None:
    await mongo["erasures"].insert_one(
        {
            "_id": "era_1", "by": by, "named": "6281******001", "wanted": wanted, "dry_run": dry_run,
            "status": "requested", "waits_for": None, "counts": {}, "requested_by": "sari", "requested_at": NOW,
            "started_at": None, "finished_at": None, "wake_at": NOW,
        }
    )  # fmt: skip


async def erasure(mongo: Mongo) -> Document:
    (found,) = await mongo["erasures"].find().to_list(None)
    return found


async def erased(mongo: Mongo, clock: HandClock, by: str = "phone", wanted: str = SITI) -> Document:
    """Ask, and have it carried out until it is done."""
    await asked(mongo, by, wanted)
    erase = eraser(mongo, clock)
    while await erase():
        assert (await erasure(mongo))["status"] == "done", await erasure(mongo)
    return await erasure(mongo)


async def told(
    mongo: Mongo, status: str = "sent", *, to: str = SITI, at: datetime = BEFORE, **changes: Any
) -> Document:
    """One notification to one person."""
    about = changes.pop("subject", "customer C-1")
    notification = stored_notification(
        created_at=at, message=f"Halo {NAME}, {TEXT}", data={"name": NAME}, audience=[{"to": to, "data": {"n": NAME}}],
        subject=about, stage=to,
    )  # fmt: skip
    fields = {
        "message": f"Halo {NAME}, {TEXT}",
        "attempts": [past_attempt(1, error=f"{to} ({NAME}) is away")],
        "timeline": [{"at": at, "status": status, "cause": f"fonnte-1: {to} ({NAME}) is away"}],
    }
    delivery = stored_delivery(status, notification=notification, to=to, **(fields | changes))
    await mongo["notifications"].insert_one(notification)
    await mongo["deliveries"].insert_one(delivery)
    return delivery


async def in_directory(mongo: Mongo) -> Directory:
    directory = Directory(mongo)
    siti = Customer(id="C-1", name=NAME, phone=SITI, email=MAIL, address="Jalan Melati 1", status=CustomerStatus.ACTIVE)
    await directory.tell("customers", [Telling(siti, BEFORE), Telling(Customer(id="C-2", phone=BUDI), BEFORE)])
    await directory.tell("tickets", [Telling(Ticket(id="T-1", customer_id="C-1", title=f"{NAME} mati"), BEFORE)])
    await directory.tell(
        "invoices", [Telling(Invoice(id="I-1", customer_id="C-1", payment_link="https://p.example.com/aminah"), BEFORE)]
    )
    return directory


async def everything(mongo: Mongo) -> str:
    return str(
        {name: await mongo[name].find().to_list(None) for name in sorted(await mongo.database.list_collection_names())}
    )


async def assert_nothing_of_her(mongo: Mongo) -> None:
    left = await everything(mongo)
    assert not [word for word in HERS if word in left]


@pytest.mark.parametrize(("by", "wanted"), [("phone", SITI), ("email", MAIL), ("customer_id", "C-1")])
async def test_however_she_is_named_nothing_of_her_is_left(
    mongo: Mongo, clock: HandClock, by: str, wanted: str
) -> None:
    await in_directory(mongo)
    await told(mongo)
    await told(mongo, "failed", to=MAIL, channel="email")
    await mongo["wishes"].insert_one({"_id": SITI, "at": BEFORE, "wish": "stop"})
    await mongo["recipient_gates"].insert_one({"_id": SITI})
    done = await erased(mongo, clock, by, wanted)
    await assert_nothing_of_her(mongo)
    assert (done["status"], done["finished_at"], done["counts"]) == (
        "done", NOW,
        {"directory_rows": 1, "deliveries": 2, "deliveries_cancelled": 0, "notifications": 2},
    )  # fmt: skip
    assert not {"wanted", "person", "wake_at", "claim"} & set(done)


@pytest.mark.parametrize("by", ["phone", "email", "customer_id"])
@pytest.mark.parametrize(
    ("typed", "spelled"), [("Siti@Example.com", MAIL), ("Siti@Bücher.com", "siti@xn--bcher-kva.com")]
)
async def test_an_address_that_is_spelled_as_it_was_typed_is_hers_too(
    mongo: Mongo, clock: HandClock, by: str, typed: str, spelled: str
) -> None:
    await in_directory(mongo)
    await mongo["customers"].update_one({"_id": "C-1"}, {"$set": {"email": typed}})
    await told(mongo, to=spelled, channel="email", subject="invoice I-9")
    done = await erased(mongo, clock, by, {"phone": SITI, "email": spelled, "customer_id": "C-1"}[by])
    assert (done["counts"]["directory_rows"], done["counts"]["deliveries"]) == (1, 1)
    left = await everything(mongo)
    assert typed not in left
    assert spelled not in left


async def test_what_is_counted_stays(mongo: Mongo, clock: HandClock) -> None:
    for status in ("sent", "read", "failed", "unknown", "expired"):
        await told(mongo, status, sent_by="fonnte")
    before = await figures(mongo)
    await erased(mongo, clock)
    assert await figures(mongo) == before


async def figures(mongo: Mongo) -> Any:
    tallies = await MongoStatistics(mongo).since(BEFORE - timedelta(days=1))
    return sorted(map(str, tallies)), await MongoLedger(mongo).conservation()


async def test_what_waits_for_her_is_cancelled_and_says_why(mongo: Mongo, clock: HandClock) -> None:
    await in_directory(mongo)
    await told(mongo, "queued")
    await asked(mongo)
    erase = eraser(mongo, clock)
    await erase()
    (ended,) = await mongo["deliveries"].find().to_list(None)
    assert (ended["status"], ended["code"], ended["reason"], "lane" in ended) == ("cancelled", "ERASED", REASON, False)
    state = await erasure(mongo)
    assert (state["status"], state["waits_for"]) == (
        "running",
        "1 deliveries to the person, 1 notifications about the person",
    )
    await mongo["deliveries"].update_one({}, {"$unset": {"announce_at": ""}})  # others have been told
    clock.advance(1)
    assert await erase()
    state = await erasure(mongo)
    assert (state["status"], state["counts"]["deliveries_cancelled"]) == ("done", 1)
    await assert_nothing_of_her(mongo)
    (kept,) = await mongo["deliveries"].find().to_list(None)
    assert (kept["status"], kept["code"], kept["reason"]) == ("cancelled", "ERASED", REASON)


async def test_what_is_under_way_is_waited_for_and_not_tried_again(mongo: Mongo, clock: HandClock) -> None:
    await told(mongo, "sending")
    await asked(mongo)
    erase = eraser(mongo, clock)
    await erase()
    (under_way,) = await mongo["deliveries"].find().to_list(None)
    assert (under_way["status"], under_way["called_off"], under_way["recipient"]) == ("sending", REASON, SITI)
    assert (await erasure(mongo))["status"] == "running"
    await mongo["deliveries"].update_one({}, {"$set": {"status": "sent"}})
    clock.advance(1)
    await erase()
    assert (await erasure(mongo))["status"] == "done"
    await assert_nothing_of_her(mongo)


async def test_what_is_waited_for_is_looked_at_ever_more_rarely(mongo: Mongo, clock: HandClock) -> None:
    await told(mongo, "sending")
    await mongo["parked_envelopes"].insert_one({"_id": "q:1", "parked_at": BEFORE, "body": SITI})
    await asked(mongo)
    erase = eraser(mongo, clock)
    waits = []
    for _ in range(9):
        assert await erase()
        wait = (await erasure(mongo))["wake_at"] - clock.now()
        waits.append(wait.total_seconds())
        clock.advance(wait.total_seconds())
    assert waits == [1, 1, 2, 4, 8, 16, 32, 60, 60]
    assert await mongo["parked_envelopes"].find_one({"body": SITI})  # they are read when nothing else is left
    await mongo["deliveries"].update_one({}, {"$set": {"status": "sent"}})
    await erase()
    assert (await erasure(mongo))["status"] == "done"
    await assert_nothing_of_her(mongo)


async def test_what_is_still_to_be_planned_is_waited_for(mongo: Mongo, clock: HandClock) -> None:
    waiting = stored_notification(created_at=BEFORE, status="accepted", wake_at=NOW, audience=[{"to": SITI}])
    await mongo["notifications"].insert_one(waiting)
    await asked(mongo)
    await eraser(mongo, clock)()
    assert (await erasure(mongo))["waits_for"] == "1 notifications to be planned"


async def test_what_was_accepted_after_it_was_asked_for_stands(mongo: Mongo, clock: HandClock) -> None:
    later = await told(mongo, "queued", at=NOW + timedelta(seconds=1))
    await erased(mongo, clock)
    assert await mongo["deliveries"].find_one({"_id": later["_id"]}) == later


async def test_others_keep_what_is_theirs(mongo: Mongo, clock: HandClock) -> None:
    directory = await in_directory(mongo)
    theirs = await told(mongo, "queued", to=BUDI, subject="customer C-2")
    before = await directory.get("customers", "C-2")
    await erased(mongo, clock)
    assert await mongo["deliveries"].find_one({"_id": theirs["_id"]}) == theirs
    assert await directory.get("customers", "C-2") == before


async def test_she_is_taken_off_the_lists_of_what_many_were_told(mongo: Mongo, clock: HandClock) -> None:
    members = [{"to": SITI, "message": f"Halo {NAME}"}, {"to": BUDI, "message": "Halo Budi"}]
    inline = stored_notification(created_at=BEFORE, message="Halo semua", audience=members, recipients=2)
    paged = stored_notification(created_at=BEFORE, message="Halo semua", audience=[], pages=1, recipients=2)
    await mongo["notifications"].insert_many([inline, paged])
    page = {"_id": f"{paged['_id']}:0", "notification_id": paged["_id"], "members": members, "created_at": BEFORE}
    await mongo["audience_pages"].insert_one(page)
    for one in (inline, paged):
        await mongo["deliveries"].insert_many([stored_delivery("sent", notification=one, to=to) for to in (SITI, BUDI)])
    await erased(mongo, clock)
    await assert_nothing_of_her(mongo)
    left = [await mongo["notifications"].find_one({"_id": inline["_id"]}), await mongo["audience_pages"].find_one()]
    assert [document and document.get("audience", document.get("members")) for document in left] == [
        [{"to": ""}, members[1]]
    ] * 2
    assert (left[0] or {})["message"] == "Halo semua"


async def test_what_others_were_told_about_her_goes_but_not_that_they_were_told(mongo: Mongo, clock: HandClock) -> None:
    await in_directory(mongo)
    await told(mongo, to=BUDI, subject="ticket T-1")
    done = await erased(mongo, clock)
    await assert_nothing_of_her(mongo)
    (kept,) = await mongo["deliveries"].find().to_list(None)
    assert (kept["recipient"], kept["message"], kept["status"]) == (BUDI, "", "sent")
    assert done["counts"]["deliveries"] == 1


async def test_an_older_word_does_not_bring_her_back_and_a_newer_one_may(mongo: Mongo, clock: HandClock) -> None:
    directory = await in_directory(mongo)
    await erased(mongo, clock)
    old = Customer(id="C-1", name=NAME, phone=SITI)
    await directory.tell("customers", [Telling(old, NOW - timedelta(minutes=1), 9)])
    await directory.tell("tickets", [Telling(Ticket(id="T-1", title=f"{NAME} mati"), BEFORE, 9)])
    await assert_nothing_of_her(mongo)
    await directory.tell("customers", [Telling(Customer(id="C-1", name="Siti Baru"), NOW + timedelta(minutes=1))])
    assert (await directory.get("customers", "C-1") or {})["name"] == "Siti Baru"


async def test_a_text_that_was_said_before_and_comes_after_is_not_kept(mongo: Mongo, clock: HandClock) -> None:
    directory = await in_directory(mongo)
    await directory.tell("tickets", [Telling(Ticket(id="T-2", customer_id="C-1", category="mati"), BEFORE)])
    await erased(mongo, clock)
    late = Ticket(id="T-2", title=f"{NAME} mati", description=TEXT, area="Menteng")
    await directory.tell("tickets", [Telling(late, NOW - timedelta(minutes=1), 9)])
    await assert_nothing_of_her(mongo)
    assert (await directory.get("tickets", "T-2") or {})["area"] == "Menteng"
    await directory.tell("tickets", [Telling(Ticket(id="T-2", title="lambat"), NOW + timedelta(minutes=1))])
    assert (await directory.get("tickets", "T-2") or {})["title"] == "lambat"


async def test_a_ticket_that_was_created_before_and_comes_after_is_kept_without_its_texts(
    mongo: Mongo, clock: HandClock
) -> None:
    directory = await in_directory(mongo)
    await erased(mongo, clock)
    moment = NOW - timedelta(minutes=1)
    late = Ticket(id="T-3", customer_id="C-1", title=f"{NAME} mati", description=TEXT, area="Menteng")
    noted = Ticket(id="T-3", note=f"telepon {SITI}")
    others = Ticket(id="T-4", customer_id="C-2", title="mati")
    tellings = [Telling(late, moment, occasion="ticket_created"), Telling(noted, moment), Telling(others, moment)]
    await directory.tell("tickets", tellings)
    await directory.tell("tickets", [Telling(noted, moment, 1)])
    await assert_nothing_of_her(mongo)
    rows = await directory.many("tickets", ["T-3", "T-4"])
    assert (rows["T-3"]["area"], rows["T-4"]["title"]) == ("Menteng", "mati")
    await directory.tell("tickets", [Telling(Ticket(id="T-3", title="lambat"), NOW + timedelta(minutes=1))])
    assert (await directory.get("tickets", "T-3") or {})["title"] == "lambat"


HERS_ANEW = Customer(id="C-9", name=NAME, phone="0812-0000-0001", email="Siti@Example.com", address="Jalan Melati 1")


@pytest.mark.parametrize(("by", "wanted"), [("phone", SITI), ("email", MAIL), ("customer_id", "C-1")])
async def test_an_older_word_of_a_row_nobody_told_does_not_make_her_anew_and_a_newer_one_may(
    mongo: Mongo, clock: HandClock, by: str, wanted: str
) -> None:
    directory = await in_directory(mongo)
    await erased(mongo, clock, by, wanted)
    for at in (BEFORE, NOW):
        (told,) = await directory.tell("customers", [Telling(HERS_ANEW, at, occasion="customer_registered")])
        assert (told.outcome, type(told.problem)) == (Outcome.REFUSED, Erased)
        assert not [word for word in HERS if word in str(told)]
        await assert_nothing_of_her(mongo)
    (told,) = await directory.tell("customers", [Telling(HERS_ANEW, NOW + timedelta(milliseconds=1))])
    row = await directory.get("customers", "C-9") or {}
    assert (told.outcome, row["name"], row["phone"], row["email"]) == (Outcome.CHANGED, NAME, SITI, MAIL)


async def test_somebody_who_had_no_row_is_kept_out_too(mongo: Mongo, clock: HandClock) -> None:
    await erased(mongo, clock)
    await Directory(mongo).tell("customers", [Telling(HERS_ANEW, BEFORE)])
    await Directory(mongo).tell("technicians", [Telling(Technician(id="X-9", name=NAME, phone=SITI), BEFORE)])
    await assert_nothing_of_her(mongo)


@pytest.mark.parametrize("first", [0, 1])
async def test_older_words_without_her_number_do_not_stay_either_whenever_they_come(
    mongo: Mongo, clock: HandClock, first: int
) -> None:
    directory = await in_directory(mongo)
    await erased(mongo, clock)
    named = Telling(Customer(id="C-9", phone=SITI), BEFORE)
    unnamed = Telling(Customer(id="C-9", name=NAME, address="Jalan Melati 1"), BEFORE + timedelta(minutes=1))
    ticket = Telling(Ticket(id="T-9", customer_id="C-9", title=f"{NAME} mati"), BEFORE)
    for kind, one in [("customers", named), ("customers", unnamed), ("tickets", ticket)][:: 1 if first == 0 else -1]:
        await directory.tell(kind, [one])
    await assert_nothing_of_her(mongo)


async def test_words_of_one_call_are_judged_one_by_one(mongo: Mongo, clock: HandClock) -> None:
    await erased(mongo, clock)
    late, other, anew = HERS_ANEW, Customer(id="C-2", phone=BUDI), Customer(id="C-9", area="Menteng")
    told = await Directory(mongo).tell(
        "customers", [Telling(late, BEFORE), Telling(other, BEFORE), Telling(anew, NOW + timedelta(seconds=1))]
    )
    assert [one.outcome for one in told] == [Outcome.REFUSED, Outcome.NEW, Outcome.NEW]
    row = await Directory(mongo).get("customers", "C-9") or {}
    assert ("phone" in row, row["area"]) == (False, "Menteng")


async def test_a_dry_run_of_an_older_word_answers_alike_and_writes_nothing(mongo: Mongo, clock: HandClock) -> None:
    await erased(mongo, clock)
    before = await everything(mongo)
    dry = await Directory(mongo).tell("customers", [Telling(HERS_ANEW, BEFORE)], dry_run=True)
    assert await everything(mongo) == before
    assert str(dry) == str(await Directory(mongo).tell("customers", [Telling(HERS_ANEW, BEFORE)]))


async def test_whoever_had_her_number_before_or_with_her_keeps_the_row(mongo: Mongo, clock: HandClock) -> None:
    directory = await in_directory(mongo)
    once, since = Customer(id="C-3", phone=SITI), Customer(id="C-3", name="Budi", phone=BUDI)
    family = Customer(id="C-4", name="Ayah", phone=SITI)
    await directory.tell("customers", [Telling(since, BEFORE), Telling(family, BEFORE)])
    await erased(mongo, clock, "customer_id", "C-1")
    before = await directory.many("customers", ["C-3", "C-4"])
    await directory.tell("customers", [Telling(once, BEFORE - timedelta(days=1)), Telling(family, BEFORE)])
    assert await directory.many("customers", ["C-3", "C-4"]) == before
    assert (before["C-3"]["name"], before["C-4"]["phone"]) == ("Budi", SITI)


async def test_a_word_that_meets_the_erasure_does_not_bring_her_back(mongo: Mongo, clock: HandClock) -> None:
    """Whichever of them writes last has to see what the other did."""
    for number in range(20):
        await mongo["erasures"].delete_many({})
        await mongo["erased_addresses"].delete_many({})
        late = Customer(id=f"C-{number}", name=NAME, phone=SITI)
        tell = [Directory(mongo).tell("customers", [Telling(late, BEFORE, version=n)]) for n in range(4)]
        await asyncio.gather(*tell[:2], erased(mongo, clock), *tell[2:])
        await assert_nothing_of_her(mongo)


async def test_what_was_written_by_who_died_over_the_erasure_goes_when_it_is_told_again(
    mongo: Mongo, clock: HandClock
) -> None:
    directory, late = Directory(mongo), [Telling(HERS_ANEW, BEFORE)]
    await directory.tell("customers", late)
    written = await directory.get("customers", "C-9") or {}
    await mongo["customers"].delete_many({})
    await erased(mongo, clock)
    await mongo["customers"].insert_one(written)  # who had looked before died before looking once more
    for _ in range(2):
        (told,) = await directory.tell("customers", late)
        assert isinstance(told.problem, Erased)
        await assert_nothing_of_her(mongo)


async def test_who_was_erased_is_known_by_no_list_and_for_two_years(mongo: Mongo, clock: HandClock) -> None:
    await in_directory(mongo)
    await erased(mongo, clock)
    kept = await mongo["erased_addresses"].find().to_list(None)
    assert [one["erased_at"] for one in kept] == [NOW] * len(kept)
    assert all(set(one) <= {"_id", "erased_at", "of_everybody_at"} and len(one["_id"]) == 64 for one in kept)
    plain = {sha256(one.encode()).hexdigest() for one in (SITI, MAIL)}
    assert not plain & {one["_id"] for one in kept}
    forget = (await mongo["erased_addresses"].index_information())["forget"]
    assert (forget["key"], forget["expireAfterSeconds"]) == ([("erased_at", 1)], 2 * 365 * 86_400)


async def test_what_portals_were_told_of_her_words_goes(mongo: Mongo, clock: HandClock) -> None:
    def told_of(number: str) -> Document:
        body = f'{{"type": "message.received", "data": {{"message_from": "{number}", "text": "saya {number}"}}}}'
        return {"_id": f"whm_{number}", "event": "message.received", "status": "pending", "body": body}

    sent = {"_id": "whm_1", "event": "delivery.sent", "body": '{"recipient": "6281******001"}'}
    await mongo["webhook_messages"].insert_many([told_of(SITI), told_of(BUDI), sent])
    await erased(mongo, clock)
    assert await mongo["webhook_messages"].find().to_list(None) == [told_of(BUDI), sent]


async def test_of_what_portals_were_told_only_words_of_people_are_looked_through(
    mongo: Mongo, clock: HandClock
) -> None:
    """All of it would take longer than whoever does it has before another takes over, who would not get further."""
    sent = {"event": "delivery.sent", "body": '{"recipient": "6281******001"}'}
    await mongo["webhook_messages"].insert_many([{"_id": f"whm_{number}", **sent} for number in range(2_000)])
    await mongo.database.command("profile", 2)
    try:
        await erased(mongo, clock)
    finally:
        await mongo.database.command("profile", 0)
    looks = await mongo.database["system.profile"].find({"op": "remove"}).to_list(None)
    await mongo.database.drop_collection("system.profile")
    looked_through = [one["docsExamined"] for one in looks if one["ns"].endswith(".webhook_messages")]
    assert looked_through == [0]


@pytest.mark.parametrize("kind", ["technicians", "staff"])
async def test_whoever_works_here_may_be_erased_too(mongo: Mongo, clock: HandClock, kind: str) -> None:
    row: Any = Technician if kind == "technicians" else Staff
    directory = Directory(mongo)
    await directory.tell(kind, [Telling(row(id="X-1", name=NAME, phone=SITI), BEFORE)])
    done = await erased(mongo, clock)
    await assert_nothing_of_her(mongo)
    assert done["counts"]["directory_rows"] == 1


async def test_her_wish_to_be_left_alone_stays_and_tells_nobody_whose_it_is(mongo: Mongo, clock: HandClock) -> None:
    suppressions = Suppressions(mongo, ZoneInfo("Asia/Jakarta"))
    wish = SuppressionDocument(
        _id=SITI, reason=SuppressionReason.OPT_OUT, note=f"kata {NAME}", created_by="recipient", created_at=BEFORE
    )
    await suppressions.add(wish)
    await erased(mongo, clock)
    await assert_nothing_of_her(mongo)
    elsewhere = Suppressions(mongo, ZoneInfo("Asia/Jakarta"))
    assert set(await elsewhere.among([SITI, BUDI])) == {SITI}
    (listed,) = await elsewhere.page(None, 10)
    assert (listed["reason"], listed["created_at"]) == (SuppressionReason.OPT_OUT, BEFORE)
    await elsewhere.lift(SITI, only=SuppressionReason.OPT_OUT)
    assert await elsewhere.among([SITI]) == {}


@pytest.mark.parametrize(
    ("body", "hers"),
    [
        ('{"to": "0812-0000-0001"}', True),
        ('{"to": "+62 812 0000 0001"}', True),
        ('{"email": "Siti@Example.com"}', True),
        ('{"customerId": "C-1", "title": "mati"}', True),
        ('{"id": "C-1", "name": "Siti"}', True),
        ('{"to": "081200000002", "id": "C-11"}', False),
        ('{"to": "00628-1200000001"}', True),
        ('{"text": "\\u00a0081200000001"}', True),
        ('{"invoice": "20250812000000015"}', False),
        ('{"to": "0812000000012"}', False),
    ],
)
async def test_an_envelope_that_was_parked_and_speaks_of_her_loses_its_body(
    mongo: Mongo, clock: HandClock, body: str, *, hers: bool
) -> None:
    await in_directory(mongo)
    await mongo["parked_envelopes"].insert_one(
        {"_id": "q:1", "queue": "q", "parked_at": BEFORE, "body": body, "routing_key": "customer.updated"}
    )
    done = await erased(mongo, clock)
    left = await mongo["parked_envelopes"].find_one() or {}
    assert (left["body"], left.get("discarded_by")) == (("", "erasure") if hers else (body, None))
    assert done["counts"].get("parked_envelopes", 0) == hers


@pytest.mark.parametrize(
    ("theirs", "others"),
    [
        ({"to": ["0812-0000-0001", BUDI], "message": "Halo"}, {"to": [BUDI], "message": "Halo"}),
        ({"items": [{"to": SITI, "message": NAME}, {"to": BUDI}]}, {"items": [{"to": BUDI}]}),
        ({"to": ["Siti@Example.com", BUDI]}, {"to": [BUDI]}),
        ({"to": [SITI, BUDI], "message": f"hubungi {SITI}"}, None),
        ({"to": [SITI]}, None),
        ({"to": SITI}, None),
    ],
)
async def test_a_parked_request_stays_for_the_others(
    mongo: Mongo, clock: HandClock, theirs: Document, others: Document | None
) -> None:
    await in_directory(mongo)
    body = json.dumps(theirs)
    parked = {
        "_id": "q:1", "queue": "q", "exchange": "kabar.events", "routing_key": "notification.requested",
        "reason": "not valid", "parked_at": BEFORE, "body": body, "body_bytes": len(body), "digest": "d",
    }  # fmt: skip
    await mongo["parked_envelopes"].insert_one(parked)
    done = await erased(mongo, clock)
    left = await MongoParkedEnvelopes(mongo).get("q:1")
    assert left is not None
    assert done["counts"]["parked_envelopes"] == 1
    assert (json.loads(left.body or "null"), left.status) == (others, "discarded" if others is None else "parked")
    assert left.complete == (others is not None)


async def test_a_dry_run_counts_what_there_is_and_touches_none_of_it(mongo: Mongo, clock: HandClock) -> None:
    await in_directory(mongo)
    await told(mongo)
    await told(mongo, "queued")
    await told(mongo, to=BUDI, subject="ticket T-1")
    await mongo["parked_envelopes"].insert_one({"_id": "q:1", "parked_at": BEFORE, "body": SITI})
    await asked(mongo, dry_run=True)
    before = await everything_but_the_erasure(mongo)
    await eraser(mongo, clock)()
    assert await everything_but_the_erasure(mongo) == before
    done = await erasure(mongo)
    assert (done["status"], done["counts"]) == (
        "done",
        {"directory_rows": 1, "deliveries": 3, "deliveries_cancelled": 1, "notifications": 3, "parked_envelopes": 1},
    )
    assert SITI not in str(done)


async def everything_but_the_erasure(mongo: Mongo) -> Mapping[str, Any]:
    names = sorted(set(await mongo.database.list_collection_names()) - {"erasures"})
    return {name: await mongo[name].find().to_list(None) for name in names}


class Dying(MongoErasures):
    """A process that dies after so many steps."""

    def __init__(self, mongo: Mongo, steps: int) -> None:
        super().__init__(mongo)
        self.steps = steps

    async def renew(self, erasure_id: str, claim: str, until: datetime, counted: Mapping[str, int]) -> bool:
        self.steps -= 1
        if not self.steps:
            raise ConnectionError("killed")
        return await super().renew(erasure_id, claim, until, counted)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
async def test_another_goes_on_where_one_died_and_counts_nothing_twice(
    mongo: Mongo, clock: HandClock, steps: int
) -> None:
    await in_directory(mongo)
    notification = stored_notification(created_at=BEFORE, audience=[], pages=1, recipients=BATCH + 7)
    await mongo["notifications"].insert_one(notification)
    await mongo["deliveries"].insert_many(
        [
            stored_delivery("sent", notification=notification, to=SITI)
            | {"_id": delivery_id(notification["_id"], "whatsapp", SITI, str(n))}
            for n in range(BATCH + 7)
        ]
    )
    await told(mongo, to=BUDI, subject="invoice I-1")
    await mongo["parked_envelopes"].insert_one({"_id": "q:1", "parked_at": BEFORE, "body": SITI})
    await asked(mongo)
    dying = eraser(mongo, clock)
    with pytest.raises(ConnectionError):
        await ErasePeople(Dying(mongo, steps), dying.traces, clock)()
    assert not await eraser(mongo, clock)()  # its lease is not over
    clock.advance(31)
    assert await eraser(mongo, clock)()
    done = await erasure(mongo)
    assert (done["status"], done["counts"]["deliveries"], done["counts"]["notifications"]) == ("done", BATCH + 8, 2)
    await assert_nothing_of_her(mongo)


async def test_whoever_lost_it_stops(mongo: Mongo, clock: HandClock) -> None:
    await told(mongo)
    await asked(mongo)
    slow = MongoErasures(mongo)
    claimed = await slow.claim("mine", NOW, NOW + timedelta(seconds=30))
    assert claimed is not None
    clock.advance(31)
    await eraser(mongo, clock)()
    assert not await slow.renew("era_1", "mine", NOW, {"parked_envelopes": 1})
    assert (await erasure(mongo))["counts"]["deliveries"] == 1
