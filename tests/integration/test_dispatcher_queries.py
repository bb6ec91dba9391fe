"""With 50,000 waiting, what the dispatcher asks of MongoDB costs what it takes, not what there is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.contracts.documents import DeliveryDocument, SuppressionDocument
from common.contracts.vocabulary import Channel, DeliveryStatus
from common.mongo.connection import Document, Mongo, connect
from common.mongo.suppressions import Suppressions
from dispatcher.adapters.mongo_deliveries import MongoDeliveries
from dispatcher.adapters.mongo_queue_lengths import MongoQueueLengths
from dispatcher.domain.change import Change
from dispatcher.domain.hours import departure
from dispatcher.domain.planning import plan_delivery
from tests.support.dispatching.model import ZONE
from tests.support.dispatching.notifications import ROUTE, member, notification
from tests.support.servers import new_database
from tests.support.stored_deliveries import past_attempt
from tests.support.storing import store

WAITING = 50_000
LANES = ["fonnte", "fonnte,wablas", "wablas,fonnte"]


@pytest.fixture(scope="module")
async def waiting(mongodb: Any) -> AsyncIterator[Mongo]:
    """Lanes full of low, normal and high ones of every age."""
    url = new_database(mongodb)
    async with connect(url, name="test") as mongo:
        await mongo.create_indexes()
        made: list[Any] = []
        for rank, priority in ((3, "low"), (2, "normal"), (1, "high")):
            created = datetime.now(UTC) - timedelta(hours=rank)
            accepted = notification(0, priority=priority, created_at=created)
            route = ROUTE if rank != 2 else ROUTE[:1]
            made += [planned(accepted, n, route) for n in range(WAITING // 3 + 1)]
        await store(mongo, "deliveries", made)
        yield mongo


def planned(accepted: Any, number: int, route: list[str]) -> DeliveryDocument:
    return plan_delivery(
        accepted, member(number), position=number, text="Halo", template=None, route=route, refusal=None,
        departure=departure(accepted, accepted["created_at"], ZONE), now=accepted["created_at"],
    )  # fmt: skip


async def profiled(mongo: Mongo, query: Callable[[], Awaitable[Any]]) -> list[Document]:
    """What the server says about every operation of a query."""
    await mongo.database.command({"profile": 2})
    try:
        await query()
    finally:
        await mongo.database.command({"profile": 0})
    operations = await mongo["system.profile"].find({"ns": f"{mongo.database.name}.deliveries"}).to_list(None)
    await mongo["system.profile"].drop()  # the next test may look through everything the database holds
    return operations


def check_cheap(operations: list[Document], most_keys: int) -> None:
    assert operations
    for operation in operations:
        plan = operation["planSummary"]
        assert plan == "IDHACK" or plan.startswith("IXSCAN"), plan
        assert "COLLSCAN" not in plan
        assert not operation.get("hasSortStage")
        assert operation["keysExamined"] <= most_keys, operation
        assert operation["docsExamined"] <= most_keys, operation


@pytest.mark.parametrize("count", [1, 25])
async def test_the_heads_of_the_lanes(waiting: Mongo, count: int) -> None:
    deliveries = MongoDeliveries(waiting["deliveries"])
    found: list[DeliveryDocument] = []

    async def heads() -> None:
        found.extend(await deliveries.heads(LANES, datetime.now(UTC), count))

    check_cheap(await profiled(waiting, heads), most_keys=count + 3 * len(LANES))
    assert {delivery["rank"] for delivery in found} == {1}
    assert [delivery["position"] for delivery in found] == list(range(count))


@pytest.mark.parametrize("rank", [2, 3])
async def test_the_aged_ones(waiting: Mongo, rank: int) -> None:
    deliveries = MongoDeliveries(waiting["deliveries"])
    now = datetime.now(UTC)

    async def aged() -> None:
        assert len(await deliveries.aged(LANES, rank, now - timedelta(minutes=30), now, 25)) == 25

    check_cheap(await profiled(waiting, aged), most_keys=25 + 3 * len(LANES))


async def test_those_behind_one_of_a_lane(waiting: Mongo) -> None:
    deliveries = MongoDeliveries(waiting["deliveries"])
    head = (await deliveries.aged(LANES, 3, datetime.now(UTC), datetime.now(UTC), 1))[0]

    async def following() -> None:
        found = await deliveries.following(head, 50)
        assert found[0]["_id"] == head["_id"]
        assert {(one["lane"], one["rank"]) for one in found} == {(head["lane"], 3)}
        assert len(found) == 50

    check_cheap(await profiled(waiting, following), most_keys=51)


async def test_ending_what_waits_for_a_recipient(waiting: Mongo) -> None:
    suppressions = Suppressions(waiting, ZONE)
    nobody = SuppressionDocument(
        _id="6281200099999", reason="blocked", note=None, created_by="test", created_at=datetime.now(UTC)
    )

    async def add() -> None:
        assert (await suppressions.add(nobody)).ended == 0

    check_cheap(await profiled(waiting, add), most_keys=1)


async def test_what_is_overdue(waiting: Mongo) -> None:
    deliveries = MongoDeliveries(waiting["deliveries"])

    async def nothing_is() -> None:
        assert [found async for found in deliveries.overdue(datetime.now(UTC), 500)] == [[]] * 4

    check_cheap(await profiled(waiting, nothing_is), most_keys=1 + len(LANES))

    async def everything_is() -> None:
        found = [len(found) async for found in deliveries.overdue(datetime.now(UTC) + timedelta(days=2), 500)]
        assert found == [0, 0, 0, 500]

    check_cheap(await profiled(waiting, everything_is), most_keys=500 + len(LANES))


async def test_what_of_one_kind_is_overdue_hides_nothing_of_another(waiting: Mongo) -> None:
    deliveries, collection = MongoDeliveries(waiting["deliveries"]), waiting["deliveries"]
    later = datetime.now(UTC) + timedelta(days=2)
    others: list[Any] = [planned(notification(0), number, ROUTE) for number in range(3)]
    for delivery, status in zip(others, ("sending", "queued", "scheduled"), strict=True):
        del delivery["lane"]
        delivery.update(status=status, wake_at=later)
    await collection.insert_many(others)
    found = [[one["_id"] for one in some] async for some in deliveries.overdue(later, 500)]
    assert found[:3] == [[delivery["_id"]] for delivery in others]
    assert len(found[3]) == 500
    await collection.delete_many({"_id": {"$in": [delivery["_id"] for delivery in others]}})


async def test_claiming_and_saving(waiting: Mongo) -> None:
    deliveries = MongoDeliveries(waiting["deliveries"])
    now = datetime.now(UTC)
    heads = await deliveries.heads(LANES, now, 25)

    async def claim_and_put_back() -> None:
        for claim in ("claim-1", "claim-2"):
            claimed = await deliveries.claim(
                heads, claim=claim, provider="fonnte", sender="fonnte-1", now=now, deadline=now
            )
        assert claimed == []  # somebody has them already
        for one in await deliveries.read([head["_id"] for head in heads]):
            change = Change(DeliveryStatus.QUEUED, "put back", lane="fonnte,wablas", wake_at=one["expires_at"])
            assert await deliveries.save([(one, change)], now) == []

    check_cheap(await profiled(waiting, claim_and_put_back), most_keys=2 * 25 + 1)


async def test_what_changed_quietly_since_it_was_read_is_not_claimed_with_the_others(waiting: Mongo) -> None:
    deliveries = MongoDeliveries(waiting["deliveries"])
    now = datetime.now(UTC)
    changed, *others = await deliveries.heads(LANES, now, 5)
    quiet = Change(DeliveryStatus.QUEUED, "", lane=changed["lane"], wake_at=changed["expires_at"], keep_attempt=True)
    await deliveries.save([(others[0], quiet)], now)
    heads = await deliveries.heads(LANES, now, 5)  # of different revisions
    await deliveries.save([(changed, quiet)], now)
    claimed: list[DeliveryDocument] = []

    async def claim_all() -> None:
        claimed.extend(
            await deliveries.claim(heads, claim="claim-3", provider="fonnte", sender="fonnte-1", now=now, deadline=now)
        )

    operations = await profiled(waiting, claim_all)
    assert sum(operation["op"] == "update" for operation in operations) == 1
    check_cheap(operations, most_keys=2 * 5 + 1)
    assert [one["_id"] for one in claimed] == [one["_id"] for one in others]
    back = [(one, Change(DeliveryStatus.QUEUED, "put back", lane=one["lane"], wake_at=one["expires_at"]))
            for one in claimed]  # fmt: skip
    assert await deliveries.save(back, now) == []


async def test_counting_the_lanes_reads_the_index_alone(waiting: Mongo) -> None:
    lengths = MongoQueueLengths(waiting["deliveries"])
    mail: Any = planned(notification(0), 1, ["email"])
    await waiting["deliveries"].insert_one(mail)

    async def count() -> None:
        found = await lengths.by_channel_and_rank()
        by_whatsapp = {(Channel.WHATSAPP, rank): WAITING // 3 + 1 for rank in (1, 2, 3)}
        assert {who: number for who, (number, _) in found.items()} == {
            **by_whatsapp,
            (Channel.EMAIL, mail["rank"]): 1,
        }

    for operation in await profiled(waiting, count):
        assert operation["planSummary"].startswith("IXSCAN")
        assert operation["docsExamined"] == 0
    await waiting["deliveries"].delete_one({"_id": mail["_id"]})


async def test_only_the_rest_of_a_round_is_woken(waiting: Mongo) -> None:
    deliveries, collection = MongoDeliveries(waiting["deliveries"]), waiting["deliveries"]
    now = datetime.now(UTC).replace(microsecond=0)
    accepted = notification(0)
    whole, rest = (planned(accepted, number, ["wablas"]) for number in (1, 2))
    resting: Any = {**rest, "wake_at": now + timedelta(seconds=30)}
    await collection.insert_many([whole, resting])
    await deliveries.wake_rests(["wablas"], now)
    found = {d["_id"]: d["wake_at"] for d in await deliveries.read([whole["_id"], rest["_id"]])}
    assert found[whole["_id"]] > now
    assert found[rest["_id"]] == now
    await collection.delete_many({"notification_id": accepted["_id"]})


async def test_one_that_no_gateway_takes_does_not_grow_without_bound(waiting: Mongo) -> None:
    deliveries, collection = MongoDeliveries(waiting["deliveries"]), waiting["deliveries"]
    made = planned(notification(0), 1, ROUTE)
    await collection.insert_many([made])
    now = datetime.now(UTC)
    for number in range(1, 31):
        (found,) = await deliveries.read([made["_id"]])
        past: Any = {**past_attempt(number), "outcome": "revoked"}
        await deliveries.save([(found, Change(DeliveryStatus.QUEUED, "revoked", lane="fonnte", past=past))], now)
    (found,) = await deliveries.read([made["_id"]])
    assert [attempt["number"] for attempt in found["attempts"]] == list(range(11, 31))
    assert found["revision"] == 30
    await collection.delete_one({"_id": made["_id"]})


async def test_a_change_nobody_is_told_of_is_not_taken_for_somebody_elses(waiting: Mongo) -> None:
    deliveries, collection = MongoDeliveries(waiting["deliveries"]), waiting["deliveries"]
    made = planned(notification(0), 1, ROUTE)
    await collection.insert_many([made])
    now = datetime.now(UTC)
    (read,) = await deliveries.read([made["_id"]])
    quiet = Change(
        DeliveryStatus.QUEUED, "", lane="fonnte", wake_at=now, fields={"delivered_at": now}, keep_attempt=True
    )
    loud = Change(DeliveryStatus.QUEUED, "waited long enough", lane="fonnte", wake_at=now)
    assert await deliveries.save([(read, loud)], now) == []
    assert await deliveries.save([(read, quiet)], now) == [made["_id"]]
    await collection.delete_one({"_id": made["_id"]})
