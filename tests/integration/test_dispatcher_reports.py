"""What providers report reaches deliveries in MongoDB, found by whatever a report calls them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.contracts.events import DeliveriesReported, EnquiriesRequested, Report, Reported, SenderReported
from common.contracts.vocabulary import FailureClass
from common.kernel.identity import new_id
from common.mongo.connection import connect
from common.topology.declarations import ATTEMPTS, enquiries_queue
from dispatcher.adapters.mongo_deliveries import MongoDeliveries
from dispatcher.adapters.mongo_early_reports import MongoEarlyReports
from dispatcher.application.apply_reports import EarlyReport
from tests.support.bus import Received, connected
from tests.support.dispatching.gateway import UNKNOWN, Answer, Call
from tests.support.dispatching.notifications import notification
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World


def report(reported: Reported, **named: Any) -> Report:
    return Report(reported=reported, at=datetime.now(UTC), **named)


async def tell(world: World, *reports: Report, provider: str = "fonnte") -> None:
    await world.broker.publish(ATTEMPTS, DeliveriesReported(provider=provider, reports=list(reports)))


async def test_a_delivery_is_sent_delivered_and_read_whatever_comes_first(dispatching: World) -> None:
    world = dispatching
    await world.gateway()
    await world.dispatcher()
    await tell(world, report(Reported.READ, state_id="3EB0"))  # before anything is known of it
    await world.accept(notification())
    await world.becomes(status="sent")
    await tell(world, report(Reported.SENT, message_id="message-1", state_id="3EB0"))
    await tell(world, report(Reported.DELIVERED, state_id="3EB0"), report(Reported.DELIVERED, state_id="3EB0"))
    [delivery] = await world.becomes(status="read", delivered_at={"$exists": True})
    assert [entry["status"] for entry in delivery["timeline"]][-1] == "read"
    assert delivery["attempts"][0]["state_id"] == "3EB0"

    async def nothing_is_kept() -> bool:
        return not await world.mongo["early_reports"].count_documents({})

    await until(nothing_is_kept)


async def test_proof_comes_while_it_is_waited_for(dispatching: World) -> None:
    async def nobody_knows(_: Call) -> Answer:
        return UNKNOWN

    world = dispatching
    await world.gateway("wablas", nobody_knows)
    await world.dispatcher()
    await world.accept(notification(providers=["wablas"]))
    [waiting] = await world.becomes(status="sending", attempt=None)
    await tell(world, report(Reported.SENT, reference=f"{waiting['_id']}.1", message_id="m"), provider="wablas")
    [delivery] = await world.becomes(status="sent")
    assert not delivery["possible_duplicate"]
    assert delivery["attempts"][0]["provider_message_id"] == "m"


async def test_what_fails_after_it_was_taken_is_failed(dispatching: World) -> None:
    world = dispatching
    await world.gateway()
    await world.dispatcher()
    await world.accept(notification())
    await world.becomes(status="sent")
    await tell(world, report(Reported.FAILED, message_id="message-1", failure=FailureClass.RECIPIENT, error="invalid"))
    [delivery] = await world.becomes(status="failed")
    assert delivery["code"] == "INVALID_PHONE"
    assert delivery["dead_at"] is not None
    await tell(world, report(Reported.DELIVERED, message_id="message-1"))
    [delivery] = await world.becomes(status="delivered")
    assert "dead_at" not in delivery


async def test_a_device_that_disconnects_is_given_no_more_work(dispatching: World) -> None:
    world = dispatching
    fonnte, wablas = await world.gateway(), await world.gateway("wablas")
    await world.dispatcher()
    await world.broker.publish(
        ATTEMPTS,
        SenderReported(
            provider="fonnte", sender="fonnte-1", connected=False, reason="logged out", at=datetime.now(UTC)
        ),
    )

    async def out() -> bool:
        return await world.mongo["senders"].count_documents({"circuit.state": "open"}) == 1

    await until(out)
    await world.accept(notification(3))
    await world.settled(3)
    assert (len(fonnte.calls), len(wablas.calls)) == (0, 3)


@pytest.mark.parametrize(
    ("asked", "index"),
    [({"message_ids": ["m-1"]}, "by_message"), ({"state_ids": ["s-1"]}, "by_state")],
)
async def test_reported_deliveries_are_found_by_an_index(
    mongodb_url: str, asked: dict[str, list[str]], index: str
) -> None:
    async with connect(mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        attempts = [{"number": 1, "provider": "fonnte", "provider_message_id": "m-1", "state_id": "s-1"}]
        never_taken: list[dict[str, Any]] = [{"_id": new_id("dlv"), "attempts": []} for _ in range(50)]
        await mongo["deliveries"].insert_many([{"_id": "dlv_1", "attempts": attempts}, *never_taken])
        names = {"ids": [], "message_ids": [], "state_ids": [], **asked}
        [found] = await MongoDeliveries(mongo["deliveries"]).reported(**names)
        assert found["_id"] == "dlv_1"
        field = "attempts.provider_message_id" if index == "by_message" else "attempts.state_id"
        query = {"$or": [{"_id": {"$in": ["x"]}}, {field: {"$in": next(iter(asked.values()))}}]}
        plan = await mongo["deliveries"].find(query).explain()
        assert index in str(plan["queryPlanner"]["winningPlan"])
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
        assert plan["executionStats"]["totalKeysExamined"] <= 4


async def test_a_report_is_kept_once_however_often_it_comes(mongodb_url: str) -> None:
    async with connect(mongodb_url, name="test") as mongo:
        early, now = MongoEarlyReports(mongo["early_reports"]), datetime.now(UTC).replace(microsecond=0)
        one = EarlyReport("a", "fonnte", report(Reported.SENT, message_id="1"), 0, now + timedelta(minutes=10))
        await early.keep([one, one], now)
        await early.keep([one], now + timedelta(hours=1))
        [due] = await early.due(now, 10)
        assert (due.identity, due.report.reported, due.report.message_id) == ("a", Reported.SENT, "1")
        await early.postpone([(due, now + timedelta(seconds=5))])
        assert await early.due(now, 10) == []
        [again] = await early.due(now + timedelta(seconds=5), 10)
        assert again.tries == 1
        await early.forget(["a"])
        assert await early.due(now + timedelta(hours=1), 10) == []


async def test_while_it_waits_for_proof_its_provider_is_asked_soon_and_once_more_before_the_policy_decides(
    dispatching: World,
) -> None:
    async def nobody_knows(_: Call) -> Answer:
        return UNKNOWN

    world = dispatching
    enquiries = Received()
    await world.gateway("wablas", nobody_knows)
    await world.dispatcher()
    async with connected(world.rabbitmq_url, (enquiries_queue("wablas"), EnquiriesRequested, enquiries)):
        held = notification(providers=["wablas"], on_unknown="hold", unknown_wait_seconds=6.0)
        await world.accept(held)
        [delivery] = await world.becomes(status="unknown")
    asked = [event for event in enquiries.events if isinstance(event, EnquiriesRequested)]
    assert [event.last for event in asked] == [False, True]
    assert {one.reference for event in asked for one in event.attempts} == {f"{delivery['_id']}.1"}
