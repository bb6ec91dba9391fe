"""People are told of what is wrong once when it begins and once when it is over, whoever watches and whatever dies."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from common.kernel.failures import Transient
from common.mongo.connection import Document, Mongo, connect
from common.testing.clock import HandClock
from scheduler.domain.findings import GRACE, Thresholds
from tests.support.scheduling.hand import HandScheduler, NotedJob, moment
from tests.support.scheduling.watching import Anybody, Bus, HandWatch, circuit, sender


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        await mongo["staff"].insert_one({"_id": "S-1", "role": "admin", "phone": "6281200000001"})
        yield mongo


@pytest.fixture
def clock() -> HandClock:
    clock = HandClock()
    moment(clock, "2025-11-15T07:00")
    return clock


@pytest.fixture
def bus() -> Bus:
    return Bus()


async def alerts(mongo: Mongo) -> list[Document]:
    return await mongo["alerts"].find().sort("_id", 1).to_list(None)


async def mended(mongo: Mongo, clock: HandClock, watch: HandWatch, **fields: Any) -> None:
    """The first sender is well again, for as long as it takes to be believed."""
    for seconds in (2, 5, 5):
        clock.advance(seconds)
        await sender(mongo, clock, "fonnte-1", **fields)
        await sender(mongo, clock, "wablas-1")
        await watch.look()


async def test_a_device_that_is_away_is_told_once_through_another_provider_and_once_when_it_is_back(
    mongo: Mongo, clock: HandClock, bus: Bus
) -> None:
    watch = HandWatch(mongo, clock, bus)
    for _ in range(3):
        await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
        await sender(mongo, clock, "wablas-1")
        await watch.look()
        clock.advance(2)
    [begun] = bus.requests
    assert (begun.type, begun.providers, begun.to) == ("system_alert", ["wablas"], None)
    assert watch.metric("alert_active", cause="device:fonnte-1") == 1
    await mended(mongo, clock, watch)
    await watch.look()
    assert bus.told == [("system_alert", False), ("system_alert", True)]
    assert bus.requests[1].providers is None
    assert watch.metric("alert_active", cause="device:fonnte-1") is None
    [alert] = await alerts(mongo)
    assert (alert["status"], set(alert["told"]), "untold" in alert) == ("cleared", {"raised", "cleared"}, False)


async def test_watchers_at_the_same_moment_tell_once(mongo: Mongo, clock: HandClock, bus: Bus) -> None:
    watches = [HandWatch(mongo, clock, bus, name=str(number)) for number in range(4)]
    for watch in watches:
        watch.watch.lease = Anybody()
    for away in (True, False):
        for _ in range(4):
            clock.advance(6)
            await sender(mongo, clock, "fonnte-1", **({"circuit": circuit(clock)} if away else {}))
            await sender(mongo, clock, "wablas-1", quota_remaining=5 if away else 5_000)
            await asyncio.gather(*(watch.look() for watch in watches))
    assert sorted(bus.told) == [("quota_alert", False), ("quota_alert", True), ("system_alert", False),
                                ("system_alert", True)]  # fmt: skip
    same = {request.event_id: request.model_dump(exclude={"occurred_at"}) for request in bus.requests}
    assert all(same[request.event_id] == request.model_dump(exclude={"occurred_at"}) for request in bus.requests)


@pytest.mark.parametrize("failing", ["lost", "not confirmed"])
async def test_who_dies_between_storing_and_telling_leaves_it_to_the_next_who_tells_the_same(
    mongo: Mongo, clock: HandClock, bus: Bus, failing: str
) -> None:
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "wablas-1")
    bus.failing = failing
    with pytest.raises(Transient):
        await HandWatch(mongo, clock, bus, name="dying").look()
    [kept] = await alerts(mongo)
    clock.advance(7)
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "fonnte-2")  # there is another way by now, and it is not taken any more
    await HandWatch(mongo, clock, bus, name="next").look()
    assert len(bus.told) == 1
    assert all(request.event_id == f"{kept['_id']}.raised" for request in bus.requests)
    assert {str(request.model_dump()) for request in bus.requests} == {str(bus.requests[0].model_dump())}


async def test_a_quota_that_falls_below_its_share_is_told_and_once_more_when_it_rose_well_above(
    mongo: Mongo, clock: HandClock, bus: Bus
) -> None:
    watch = HandWatch(mongo, clock, bus)
    for remaining in (1_000, 100, 99, 60, 99, 101, 149, 60):
        await sender(mongo, clock, "fonnte-1", quota_remaining=remaining, quota_total=1_000)
        await sender(mongo, clock, "wablas-1")
        await watch.look()
        clock.advance(5)
    [begun] = bus.requests
    assert (begun.type, begun.providers) == ("quota_alert", ["wablas"])
    assert begun.data == {"sender": "fonnte-1", "provider": "Fonnte", "remaining": 99, "total": 1_000}
    await mended(mongo, clock, watch, quota_remaining=1_000, quota_total=1_000)
    assert bus.told == [("quota_alert", False), ("quota_alert", True)]
    assert (bus.requests[1].data or {})["remaining"] == 1_000


async def test_while_no_provider_works_it_waits_and_says_so(mongo: Mongo, clock: HandClock, bus: Bus) -> None:
    watch = HandWatch(mongo, clock, bus)
    for _ in range(2):
        await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
        await sender(mongo, clock, "wablas-1", circuit=circuit(clock))
        await watch.look()
        clock.advance(2)
    assert bus.requests == []
    assert watch.metric("alert_untold") == 2
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "wablas-1")
    await watch.look()
    assert [request.providers for request in bus.requests] == [["wablas"]]
    assert watch.metric("alert_untold") == 0
    await mended(mongo, clock, watch)
    assert bus.told == [("system_alert", False), ("system_alert", True), ("system_alert", True)]


async def test_what_nobody_could_be_told_of_in_time_is_told_when_it_is_over(
    mongo: Mongo, clock: HandClock, bus: Bus
) -> None:
    watch = HandWatch(mongo, clock, bus)
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await watch.look()
    assert bus.requests == []
    clock.advance(5)
    await sender(mongo, clock, "fonnte-1")
    await watch.look()
    assert bus.requests == []  # it looks mended: its end will be told
    await mended(mongo, clock, watch)
    assert bus.told == [("system_alert", True)]


async def test_what_was_over_for_an_hour_before_anybody_could_be_told_is_told_nobody(
    mongo: Mongo, clock: HandClock, bus: Bus
) -> None:
    staff = await mongo["staff"].find_one({})
    assert staff is not None
    await mongo["staff"].delete_many({})
    watch = HandWatch(mongo, clock, bus)
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await watch.look()
    await mended(mongo, clock, watch)
    clock.advance(3600)
    await mongo["staff"].insert_one(staff)
    await sender(mongo, clock, "fonnte-1")
    await watch.look()
    assert bus.requests == []
    [alert] = await mongo["alerts"].find({}).to_list(None)
    assert (alert["status"], alert["told"], "untold" in alert) == ("cleared", {}, False)


async def test_without_an_administrator_the_number_is_told_and_without_a_number_it_waits(
    mongo: Mongo, clock: HandClock, bus: Bus
) -> None:
    await mongo["staff"].delete_many({})
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "wablas-1")
    await HandWatch(mongo, clock, bus).look()
    assert bus.requests == []
    await HandWatch(mongo, clock, bus, number="6281200000099").look()
    [request] = bus.requests
    assert (request.to, request.providers) == (["6281200000099"], ["wablas"])


async def test_an_administrator_who_opted_out_is_none_to_be_told(mongo: Mongo, clock: HandClock, bus: Bus) -> None:
    await mongo["suppressions"].insert_one({"_id": "6281200000001", "reason": "opt_out"})
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "wablas-1")
    watch = HandWatch(mongo, clock, bus)
    await watch.look()
    assert (bus.requests, watch.metric("alert_untold")) == ([], 1)
    await mongo["suppressions"].insert_one({"_id": "6281200000099", "reason": "opt_out"})
    await HandWatch(mongo, clock, bus, number="6281200000099").look()
    assert bus.requests == []
    await HandWatch(mongo, clock, bus, number="6281200000098").look()
    assert [request.to for request in bus.requests] == [["6281200000098"]]


async def test_an_alert_that_is_never_suppressed_goes_to_administrators_who_opted_out(
    mongo: Mongo, clock: HandClock, bus: Bus
) -> None:
    await mongo["suppressions"].insert_one({"_id": "6281200000001", "reason": "opt_out"})
    await mongo["routes"].insert_one({"_id": "system_alert", "suppressible": False})
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "wablas-1")
    await HandWatch(mongo, clock, bus, number="6281200000098").look()
    assert [request.to for request in bus.requests] == [None]


async def test_while_no_whatsapp_provider_works_administrators_get_mail(
    mongo: Mongo, clock: HandClock, bus: Bus
) -> None:
    await mongo["staff"].update_one({"_id": "S-1"}, {"$set": {"email": "admin@example.com"}})
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "email-1")
    await HandWatch(mongo, clock, bus).look()
    [request] = bus.requests
    assert (request.channels, request.providers, request.to) == (["email"], None, None)


@pytest.mark.parametrize(
    ("address", "paused", "told_by"),
    [("admin@example.com", False, ["email"]), ("admin@example.com", True, ["whatsapp"]), (None, False, ["whatsapp"])],
)
async def test_who_wants_alerts_by_mail_gets_them_by_whatsapp_while_mail_reaches_nobody(
    mongo: Mongo, bus: Bus, *, address: str | None, paused: bool, told_by: list[str]
) -> None:
    clock = HandClock()
    await mongo["routes"].insert_one({"_id": "system_alert", "channels": ["email"]})
    await mongo["staff"].update_one({"_id": "S-1"}, {"$set": {"email": address}})
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "wablas-1")
    await sender(mongo, clock, "email-1", paused=paused)
    await HandWatch(mongo, clock, bus).look()
    assert [request.channels for request in bus.requests] == [told_by]


async def test_who_switched_the_type_off_is_told_nothing(mongo: Mongo, clock: HandClock, bus: Bus) -> None:
    await mongo["routes"].insert_one({"_id": "system_alert", "enabled": False})
    watch = HandWatch(mongo, clock, bus)
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "wablas-1")
    await watch.look()
    assert (bus.requests, watch.metric("alert_untold")) == ([], 0)
    assert watch.metric("alert_active", cause="device:fonnte-1") == 1


async def test_one_watches_at_a_time_and_another_goes_on_when_it_is_gone(
    mongo: Mongo, clock: HandClock, bus: Bus
) -> None:
    one, other = HandWatch(mongo, clock, bus), HandWatch(mongo, clock, bus, name="other")
    await one.look()
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "wablas-1")
    await other.look()
    assert bus.requests == []
    clock.advance(6)
    await sender(mongo, clock, "fonnte-1", circuit=circuit(clock))
    await sender(mongo, clock, "wablas-1")
    await other.look()
    assert len(bus.requests) == 1
    await one.look()
    assert one.metric("alert_active", cause="device:fonnte-1") == 1


async def test_a_new_device_is_looked_at_once_and_one_that_is_away_once_in_a_while(
    mongo: Mongo, clock: HandClock, bus: Bus
) -> None:
    watch = HandWatch(mongo, clock, bus)
    await sender(mongo, clock, "wablas-1")
    await sender(mongo, clock, "fonnte-1", device={})
    await watch.look()
    assert bus.enquiries == ["fonnte-1"]
    for seconds in (0, 59, 1):
        clock.advance(seconds)
        seen = {"gateway_seen_at": clock.now()}
        asked = {} if seconds else {"device": {"asked_at": clock.now()}, "circuit": circuit(clock)}
        await mongo["senders"].update_many({}, {"$set": seen})
        await mongo["senders"].update_one({"_id": "fonnte-1"}, {"$set": asked or seen})
        await watch.look()
    assert bus.enquiries == ["fonnte-1", "fonnte-1"]


async def test_a_job_that_was_not_done_in_time_is_told(mongo: Mongo, clock: HandClock, bus: Bus) -> None:
    async def fail(_: object) -> Any:
        raise ValueError("no such thing")

    job = NotedJob("dunning", fail)
    scheduler = HandScheduler(mongo, clock, [job.scheduled()])
    watch = HandWatch(mongo, clock, bus, jobs=[job.scheduled()])
    await sender(mongo, clock, "wablas-1")
    await scheduler.look()
    await watch.look()
    for text, told in (("07:59", 0), ("08:05", 0), ("08:10", 0), ("08:11", 1), ("12:00", 1)):
        moment(clock, f"2025-11-15T{text}")
        await sender(mongo, clock, "wablas-1")
        await scheduler.look()
        await watch.look()
        assert len(bus.requests) == told, text
    assert "dunning" in str(bus.requests[0].data)
    job._also = None  # it is mended
    moment(clock, "2025-11-16T08:00")
    await scheduler.look()
    for _ in range(2):
        clock.advance(15)
        await sender(mongo, clock, "wablas-1")
        await watch.look()
    assert bus.told[-1] == ("system_alert", True)


async def test_piles_that_grow_too_fast_are_told(mongo: Mongo, clock: HandClock, bus: Bus) -> None:
    thresholds = Thresholds(dead_an_hour=3, parked_an_hour=2)
    watch = HandWatch(mongo, clock, bus, thresholds=thresholds)
    now, long_ago = clock.now(), clock.now() - timedelta(minutes=61)
    await mongo["deliveries"].insert_many(
        [{"_id": f"d{number}", "dead_at": now if number < 3 else long_ago} for number in range(9)]
    )
    await mongo["parked_envelopes"].insert_many(
        [{"_id": number, "parked_at": now, **({"replayed_at": now} if number > 1 else {})} for number in range(9)]
    )
    await sender(mongo, clock, "wablas-1")
    await watch.look()
    assert bus.requests == []
    await mongo["deliveries"].insert_one({"_id": "d", "dead_at": now})
    await mongo["parked_envelopes"].insert_one({"_id": "p", "parked_at": now})
    await watch.look()
    assert {alert["kind"] for alert in await alerts(mongo)} == {"dead_deliveries", "parked_envelopes"}
    assert len(bus.told) == 2
    clock.advance(GRACE.total_seconds() * 7)
    for _ in range(2):
        clock.advance(10)
        await sender(mongo, clock, "wablas-1")
        await watch.look()
    assert len(bus.told) == 4


@pytest.mark.parametrize(
    ("collection", "query"),
    [
        ("alerts", {"status": "active"}),
        ("alerts", {"untold": {"$exists": True}}),
        ("alerts", {"cause": "device:fonnte-1"}),
        ("deliveries", {"dead_at": {"$gt": HandClock().now()}}),
        ("parked_envelopes", {"parked_at": {"$gt": HandClock().now()}}),
        ("job_runs", {"status": "running"}),
    ],
)
async def test_everything_that_is_looked_at_all_the_time_is_found_by_an_index(
    mongo: Mongo, collection: str, query: Document
) -> None:
    plan = await mongo[collection].find(query).explain()
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
