"""Any order and any number of repetitions of the same tellings end in the same rows."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.contracts.directory import Customer, Invoice, Row, Staff, Technician, Ticket, TicketStatus
from common.contracts.tellings import Outcome, Telling, microseconds, overtaken
from common.kernel.identity import new_id
from common.mongo.connection import Document, Mongo, connect
from common.mongo.directory import Directory, latest_stamp
from common.mongo.search_keys import keys_of
from tests.support.servers import new_database

START = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
UNTIL = microseconds(START + timedelta(seconds=10))


@pytest.fixture(scope="module")
async def mongo(mongodb: Any) -> AsyncIterator[Mongo]:
    async with connect(new_database(mongodb), name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


@pytest.fixture
def directory(mongo: Mongo) -> Directory:
    return Directory(mongo, zone=ZoneInfo("Asia/Jakarta"))


def telling(row: Row, seconds: float = 0, version: int = 0, occasion: str | None = None) -> Telling:
    return Telling(row, START + timedelta(seconds=seconds), version, occasion)


async def stored(directory: Directory, identity: str, kind: str = "customers") -> Document:
    row = await directory.get(kind, identity)
    assert row is not None
    row.pop("changed_at")
    return row


def fresh() -> str:
    return new_id("C")


tellings_of_a_ticket = st.lists(
    st.builds(
        telling,
        st.builds(
            Ticket,
            id=st.just("T"),
            status=st.none() | st.sampled_from(["open", "resolved", "closed"]),
            title=st.none() | st.sampled_from(["Internet mati", "$title", "$$NOW", "Ångström", "z"]),
            rating=st.none() | st.integers(1, 5),
            deadline=st.none() | st.datetimes(timezones=st.just(UTC)),
        ),
        seconds=st.sampled_from([-(10**10), 0, 1e-6, 2e-6, 0.0005, 1, 2]),
        version=st.integers(0, 2),
        occasion=st.none() | st.sampled_from(["ticket_created", "ticket_status_changed"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=tellings_of_a_ticket, seed=st.integers(0, 2**32))
async def test_any_order_and_repetition_of_tellings_ends_in_the_same_row(
    directory: Directory, told: list[Telling], seed: int
) -> None:
    chance = random.Random(seed)
    rows = []
    for repetitions in (1, 2, 3):
        identity = fresh()
        again = [_of(one, identity) for one in told for _ in range(chance.randint(1, repetitions))]
        chance.shuffle(again)
        batches = []
        while again:
            size = chance.randint(1, len(again))
            batches.append(again[:size])
            again = again[size:]
        if repetitions == 3:
            await asyncio.gather(*(directory.tell("tickets", batch) for batch in batches))
        else:
            for batch in batches:
                await directory.tell("tickets", batch)
        row = await stored(directory, identity, "tickets")
        assert row["found_as"] == keys_of(identity, row.get("title", ""))
        rows.append({**row, "_id": "T", "found_as": sorted({*row["found_as"]} - {*keys_of(identity)})})
    assert rows[0] == rows[1] == rows[2]
    for name in ("status", "title", "rating", "deadline"):
        said = [one for one in told if getattr(one.row, name) is not None]
        assert (name in rows[0]) == bool(said)
        if said:
            latest = max(one.stamp for one in said)
            assert tuple(rows[0]["told"][name]) == latest
            assert rows[0][name] in {_as_stored(getattr(one.row, name)) for one in said if one.stamp == latest}
    done = {"resolved", "closed"}
    resolved = [one.occurred_at for one in told if one.occasion and getattr(one.row, "status", None) in done]
    assert rows[0].get("resolved_at") == (_as_stored(min(resolved)) if resolved else None)


def _of(one: Telling, identity: str) -> Telling:
    return Telling(one.row.model_copy(update={"id": identity}), one.occurred_at, one.version, one.occasion)


def _as_stored(value: Any) -> Any:
    return value.replace(microsecond=value.microsecond // 1000 * 1000) if isinstance(value, datetime) else value


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=tellings_of_a_ticket)
async def test_what_came_of_a_telling_is_what_the_row_shows(directory: Directory, told: list[Telling]) -> None:
    together, apart = fresh(), fresh()
    answers = await directory.tell("tickets", [_of(one, together) for one in told])
    for number, one in enumerate(told):
        before = await directory.get("tickets", apart)
        (answer,) = await directory.tell("tickets", [_of(one, apart)])
        after = await directory.get("tickets", apart)
        assert after is not None
        differing = {
            name for name in after if name in after.get("told", {}) and (before or {}).get(name) != after[name]
        }
        assert set(answer.changed) == differing
        assert (answer.outcome is Outcome.NEW) == (before is None)
        assert (answer.outcome is Outcome.UNCHANGED) == (before is not None and not differing)
        assert (answer.outcome, answer.changed) == (answers[number].outcome, answers[number].changed)
        assert before is None or (after["changed_at"] != before["changed_at"]) <= bool(differing)


async def test_when_a_ticket_was_opened_and_resolved_is_surmised_until_it_is_told(directory: Directory) -> None:
    identity = fresh()

    async def tell(row: Ticket, seconds: float, occasion: str | None) -> tuple[object, object]:
        await directory.tell("tickets", [_of(telling(row, seconds, occasion=occasion), identity)])
        kept = await stored(directory, identity, "tickets")
        return kept.get("opened_at"), kept.get("resolved_at")

    def at(seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)

    resolved, closed = Ticket(id="T", status=TicketStatus.RESOLVED), Ticket(id="T", status=TicketStatus.CLOSED)
    changed = "ticket_status_changed"
    assert await tell(Ticket(id="T", status=TicketStatus.OPEN), 0, "ticket_created") == (at(0), None)
    assert await tell(closed, 90, None) == (at(0), None)  # no fact: what was done long ago may be imported now
    assert await tell(closed, 90, changed) == (at(0), at(90))
    assert await tell(resolved, 60, changed) == (at(0), at(60))
    assert await tell(resolved, 70, changed) == (at(0), at(60))
    told = Ticket(id="T", opened_at=at(-5), resolved_at=at(30))
    assert await tell(told, 10, None) == (at(-5), at(30))
    assert await tell(resolved, 20, changed) == (at(-5), at(30))


async def test_a_row_without_what_it_is_searched_by_gets_it_when_its_name_is_told_again(
    mongo: Mongo, directory: Directory
) -> None:
    identity, told = fresh(), telling(Customer(id=fresh(), name="Siti  Áminah"))
    await directory.tell("customers", [_of(told, identity)])
    await mongo["customers"].update_one({"_id": identity}, {"$unset": {"found_as": ""}})
    await directory.tell("customers", [_of(told, identity)])
    row = await stored(directory, identity)
    assert row["found_as"] == sorted(["aminah", identity.casefold(), "siti aminah"])


async def test_each_field_keeps_the_latest_word_about_it(directory: Directory) -> None:
    identity = fresh()
    later = telling(Customer(id=identity, area="Bandung", status="active"), 5)
    earlier = telling(Customer(id=identity, area="Jakarta", name="Sari"), 1)
    assert [one.outcome for one in await directory.tell("customers", [later, earlier])] == ["new", "changed"]
    row = await stored(directory, identity)
    assert (row["area"], row["name"], row["status"]) == ("Bandung", "Sari", "active")
    (again,) = await directory.tell("customers", [earlier])
    assert (again.outcome, again.changed) == (Outcome.UNCHANGED, ())


async def test_the_same_value_told_later_still_outdates_what_was_told_in_between(directory: Directory) -> None:
    identity = fresh()
    for area, seconds in (("Bandung", 1), ("Bandung", 3), ("Jakarta", 2)):
        await directory.tell("customers", [telling(Customer(id=identity, area=area), seconds)])
    assert (await stored(directory, identity))["area"] == "Bandung"


async def test_of_two_tellings_of_one_moment_the_higher_version_wins(directory: Directory) -> None:
    identity = fresh()
    for area, version in (("Bandung", 7), ("Jakarta", 6)):
        await directory.tell("customers", [telling(Customer(id=identity, area=area), 1, version)])
    assert (await stored(directory, identity))["area"] == "Bandung"


async def test_values_are_kept_the_one_way_they_are_spelled(directory: Directory) -> None:
    identity = fresh()
    customer = Customer(id=identity, phone="+62 812-0000-0001", name=" $sum\r\n ", address="Jl. Melati\r\nNo. 1")
    ticket = Ticket(id=identity, deadline=datetime(2025, 11, 18, 9, 0), priority="urgent")  # noqa: DTZ001
    invoice = Invoice.model_validate({"id": identity, "dueDate": "2025-11-18", "amount": 150_000})
    for row in (customer, ticket, invoice):
        await directory.tell(row.kind, [telling(row)])
    kept = await stored(directory, identity)
    assert (kept["phone"], kept["name"], kept["address"]) == ("6281200000001", "$sum", "Jl. Melati\nNo. 1")
    kept = await stored(directory, identity, "tickets")
    assert (kept["deadline"], kept["priority"]) == (datetime(2025, 11, 18, 2, 0, tzinfo=UTC), "urgent")
    kept = await stored(directory, identity, "invoices")
    assert (kept["due_date"], kept["amount"]) == ("2025-11-18", 150_000)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "021 555 0100"),
        ("phone", "120363000000000001@g.us"),
        ("name", "Sa\x00ri"),
        ("name", " "),
    ],
)
async def test_a_row_that_cannot_be_kept_is_refused_alone_and_says_why(
    directory: Directory, field: str, value: str
) -> None:
    good, bad = fresh(), fresh()
    told = await directory.tell(
        "customers", [telling(Customer.model_validate({"id": bad, field: value})), telling(Customer(id=good))]
    )
    assert [one.outcome for one in told] == [Outcome.REFUSED, Outcome.NEW]
    assert told[0].problem is not None
    assert told[0].problem.field == field
    assert value not in told[0].problem.reason or value == " "
    assert await directory.get("customers", bad) is None
    assert await directory.get("customers", good) is not None


async def test_a_row_is_kept_of_which_nothing_but_its_identity_is_told(directory: Directory) -> None:
    identity = fresh()
    assert (await directory.tell("customers", [telling(Customer(id=identity))]))[0].outcome is Outcome.NEW
    assert (await stored(directory, identity)) == {"_id": identity, "found_as": keys_of(identity)}


async def test_a_dry_run_answers_alike_and_writes_nothing(directory: Directory) -> None:
    known, unknown = fresh(), fresh()
    await directory.tell("customers", [telling(Customer(id=known, area="Bandung"), 1)])
    tellings = [telling(Customer(id=one, area="Jakarta"), 2) for one in (known, unknown)]
    dry = await directory.tell("customers", tellings, dry_run=True)
    assert (await stored(directory, known))["area"] == "Bandung"
    assert await directory.get("customers", unknown) is None
    assert dry == await directory.tell("customers", tellings)


async def test_ten_tellers_of_one_new_row_at_once_make_one_row(directory: Directory) -> None:
    identities = [fresh() for _ in range(50)]
    tellings = [telling(Customer(id=one, area="Bandung"), 1) for one in identities]
    await asyncio.gather(*(directory.tell("customers", tellings) for _ in range(10)))
    assert len(await directory.many("customers", identities)) == 50


async def test_the_latest_fact_of_each_kind_is_remembered(directory: Directory) -> None:
    identity = fresh()
    first = telling(Ticket(id=identity, status="assigned"), 1, occasion="ticket_assigned")
    second = telling(Ticket(id=identity, status="assigned"), 2, occasion="ticket_assigned")
    other = telling(Ticket(id=identity, status="closed"), 3, occasion="ticket_status_changed")
    for one in (second, other, first):
        await directory.tell("tickets", [one])
    row = await stored(directory, identity, "tickets")
    assert overtaken(row, first)
    assert not overtaken(row, second)
    assert not overtaken(row, other)


async def test_the_rows_others_ask_for_are_found(directory: Directory, mongo: Mongo) -> None:
    for kind in ("customers", "staff", "technicians"):
        await mongo[kind].delete_many({})
    rows: list[Row] = [
        *(Customer(id=f"C-{n}", area="Bandung" if n % 2 else "Jakarta", status="active") for n in range(6)),
        Customer(id="C-6", area="Bandung", status="inactive", phone="081200000001"),
        Customer(id="C-7", area="Bandung"),
        Staff(id="S-1", role="supervisor"),
        Staff(id="S-2", role="supervisor", status="inactive"),
        Staff(id="S-3", role="manager", status="active"),
        Staff(id="S-4", role="cs", status="active"),
        Technician(id="X-1"),
        Technician(id="X-2", status="inactive"),
        Technician(id="X-3", status="active"),
    ]
    for row in rows:
        await directory.tell(row.kind, [telling(row)])
    assert [one["_id"] for one in await directory.staff(["supervisor", "manager"])] == ["S-1", "S-3"]
    assert [one["_id"] for one in await directory.technicians()] == ["X-1", "X-3"]
    assert (await directory.count_customers(), await directory.count_customers("Bandung")) == (6, 3)
    assert [one["_id"] for one in await directory.customers(None, "Bandung", 2)] == ["C-1", "C-3"]
    assert [one["_id"] for one in await directory.customers("C-3", "Bandung", 2)] == ["C-5"]
    assert [one["_id"] for one in await directory.customers("C-3", None, 10)] == ["C-4", "C-5"]
    assert [one["_id"] for one in await directory.by_phone("6281200000001")] == ["C-6"]


async def forgotten_customer(directory: Directory) -> str:
    """A row that was told and then forgotten ten seconds after the start."""
    identity = fresh()
    siti = Customer(id=identity, name="Siti Aminah", phone="081200000001", area="Utara")
    await directory.tell("customers", [telling(siti)])
    await directory.forget("customers", {identity: UNTIL})
    return identity


async def test_nothing_of_a_forgotten_row_is_left_and_nothing_finds_it(directory: Directory) -> None:
    identity = await forgotten_customer(directory)
    row = await stored(directory, identity)
    assert set(row) == {"_id", "told", "status", "found_as"}
    assert (row["status"], row["found_as"]) == ("inactive", [identity.lower()])
    assert identity not in [one["_id"] for one in await directory.by_phone("6281200000001")]
    assert "Siti" not in str(row)


@pytest.mark.parametrize("seconds", [-5.0, 0.0, 10.0])
async def test_what_was_told_until_it_was_forgotten_does_not_come_back(directory: Directory, seconds: float) -> None:
    identity = await forgotten_customer(directory)
    before = await directory.get("customers", identity)
    again = Customer(id=identity, name="Siti Aminah", phone="081200000001", email="siti@example.com")
    (told,) = await directory.tell("customers", [telling(again, seconds, version=2**53)])
    assert told.outcome is Outcome.UNCHANGED
    assert await directory.get("customers", identity) == before


async def test_what_is_told_after_it_was_forgotten_stands_and_nothing_else(directory: Directory) -> None:
    identity = await forgotten_customer(directory)
    (told,) = await directory.tell("customers", [telling(Customer(id=identity, name="Budi"), 11)])
    row = await stored(directory, identity)
    assert told.outcome is Outcome.CHANGED
    assert (row["name"], "phone" in row, "area" in row) == ("Budi", False, False)


async def test_a_row_that_nobody_has_told_so_far_can_be_forgotten_too(directory: Directory) -> None:
    identity = fresh()
    await directory.forget("customers", {identity: UNTIL})
    await directory.tell("customers", [telling(Customer(id=identity, name="Siti", phone="081200000001"))])
    assert not {"name", "phone"} & set(await stored(directory, identity))


async def test_what_is_told_later_stands_however_often_a_row_is_forgotten(directory: Directory) -> None:
    identity = await forgotten_customer(directory)
    await directory.tell("customers", [telling(Customer(id=identity, name="Budi", phone="081200000002"), 11)])
    before = await stored(directory, identity)
    await directory.forget("customers", {identity: UNTIL})
    assert await stored(directory, identity) == before
    assert (before["name"], before["status"], before["found_as"]) == ("Budi", "inactive", keys_of(identity, "Budi"))


async def test_a_clock_that_goes_before_is_reckoned_with(directory: Directory) -> None:
    identity = fresh()
    ahead = telling(Customer(id=identity, name="Siti"), 60)
    await directory.tell("customers", [ahead])
    row = await directory.get("customers", identity)
    await directory.forget("customers", {identity: max(UNTIL, latest_stamp(row or {}))})
    await directory.tell("customers", [ahead])
    assert "name" not in await stored(directory, identity)


async def test_a_telling_that_meets_the_forgetting_changes_nothing_or_all(directory: Directory) -> None:
    """Whoever writes last has to see what the other did."""
    for _ in range(20):
        identity = fresh()
        row = Customer(id=identity, name="Siti", phone="081200000001")
        await directory.tell("customers", [telling(row)])
        await asyncio.gather(
            *(directory.tell("customers", [telling(row, version=n)]) for n in range(3)),
            directory.forget("customers", {identity: UNTIL}),
            *(directory.tell("customers", [telling(row, version=n)]) for n in range(3, 6)),
        )
        found = await stored(directory, identity)
        assert not {"name", "phone"} & set(found), found


async def test_a_technician_who_was_forgotten_gets_nothing_any_more(directory: Directory) -> None:
    identity = fresh()
    await directory.tell("technicians", [telling(Technician(id=identity, name="Agus"))])
    await directory.forget("technicians", {identity: UNTIL})
    assert identity not in [row["_id"] for row in await directory.technicians()]
