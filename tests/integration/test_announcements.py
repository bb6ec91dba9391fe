"""Whatever becomes of a delivery is told to others: at once, once as a rule, and at last whatever a crash left."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.contracts.event import Event
from common.contracts.events import DeliveryChanged, NotificationChanged
from common.contracts.vocabulary import FailureClass
from common.topology.declarations import ANNOUNCEMENTS
from tests.support.bus import Received, connected, eventually
from tests.support.dispatching.gateway import Answer, Call, failed
from tests.support.dispatching.notifications import member, notification, recipient
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World
from tests.support.stored_deliveries import stored_delivery, stored_notification


@pytest.fixture
async def listening(dispatching: World) -> AsyncIterator[Received]:
    """What subscribers are told."""
    received = Received()
    async with connected(dispatching.rabbitmq_url, (ANNOUNCEMENTS, Event, received), prefetch=500):
        yield received


def told_of_deliveries(listening: Received) -> list[DeliveryChanged]:
    return [event for event in listening.events if isinstance(event, DeliveryChanged)]


async def nothing_untold(world: World, collection: str = "deliveries") -> None:
    async def all_told() -> bool:
        return await world.mongo[collection].count_documents({"announce_at": {"$exists": True}}) == 0

    await until(all_told)


async def test_what_was_sent_is_told_once_with_everything_but_the_number(
    dispatching: World, listening: Received
) -> None:
    await dispatching.dispatcher()
    await dispatching.gateway()
    sent = notification(audience=200)
    await dispatching.accept(sent)
    deliveries = await dispatching.settled(200)
    await nothing_untold(dispatching)
    await eventually(lambda: len(told_of_deliveries(listening)) >= 200)
    told = told_of_deliveries(listening)
    assert {event.delivery_id for event in told} == {delivery["_id"] for delivery in deliveries}
    assert len(told) == 200, Counter(event.event_id for event in told).most_common(3)
    first = next(event for event in told if event.delivery_id == deliveries[0]["_id"])
    assert (first.routing_key, first.status, first.notification_id) == ("delivery.sent", "sent", sent["_id"])
    assert (first.provider, first.sender, first.version) == ("fonnte", "fonnte-1", deliveries[0]["revision"])
    assert first.event_id == f"{first.delivery_id}.{first.version}"
    assert first.occurred_at == deliveries[0]["timeline"][-1]["at"]
    assert recipient(0) not in first.encode().decode()
    assert {envelope.message_id for envelope in listening.envelopes} >= {event.event_id for event in told}


async def test_a_planned_and_a_cancelled_notification_are_told_with_their_counts(
    dispatching: World, listening: Received
) -> None:
    planned = notification(audience=3)
    cancelled = notification(audience=2, status="cancelled")
    await dispatching.accept(planned, cancelled)
    await dispatching.dispatcher()
    await nothing_untold(dispatching, "notifications")
    told = {event.event_id: event for event in listening.events if isinstance(event, NotificationChanged)}
    await eventually(lambda: len([e for e in listening.events if isinstance(e, NotificationChanged)]) >= 2)
    told = {event.event_id: event for event in listening.events if isinstance(event, NotificationChanged)}
    assert told[f"{planned['_id']}.planned"].deliveries == {"queued": 3}
    assert told[f"{planned['_id']}.planned"].routing_key == "notification.planned"
    assert told[f"{cancelled['_id']}.cancelled"].deliveries == {"cancelled": 2}
    assert len(told) == 2


async def test_a_failure_is_told_with_its_reason(dispatching: World, listening: Received) -> None:
    async def refuses(_: Call) -> Answer:
        return failed(FailureClass.RECIPIENT, f"{recipient(0)} is not on WhatsApp")

    await dispatching.dispatcher()
    await dispatching.gateway(script=refuses)
    await dispatching.accept(notification(providers=["fonnte"]))
    await dispatching.settled(1)
    await eventually(lambda: bool(told_of_deliveries(listening)))
    (event,) = told_of_deliveries(listening)
    assert (event.status, event.code) == ("failed", "INVALID_PHONE")
    assert event.reason
    assert recipient(0) not in event.encode().decode()


async def test_what_a_crash_or_the_api_left_untold_is_told_once_by_one_of_two_dispatchers(
    dispatching: World, listening: Received
) -> None:
    now = datetime.now(UTC)
    ended = {"at": now, "status": "cancelled", "cause": "cancelled by sari", "revision": 3}
    left = [
        stored_delivery(
            "cancelled", notification=stored_notification(), revision=3, announce_at=now, timeline=[ended],
            reason=f"cancelled for {recipient(1)}",
        )
        for _ in range(700)
    ]  # fmt: skip
    await dispatching.mongo["deliveries"].insert_many(left)
    await asyncio.gather(dispatching.dispatcher(), dispatching.dispatcher())
    await nothing_untold(dispatching)
    await eventually(lambda: len({event.delivery_id for event in told_of_deliveries(listening)}) == 700)
    assert {event.event_id for event in told_of_deliveries(listening)} == {f"{one['_id']}.3" for one in left}
    assert len(told_of_deliveries(listening)) == 700


async def test_what_happened_while_it_was_told_is_not_forgotten(dispatching: World, listening: Received) -> None:
    """A mark is only taken away from a delivery that is as it was told."""
    long_ago = datetime.now(UTC) - timedelta(seconds=30)
    told: list[dict[str, Any]] = [
        {"at": long_ago, "status": "sent", "cause": "taken", "revision": 4},
        {"at": long_ago, "status": "delivered", "cause": "reported", "revision": 5},
    ]
    delivery = stored_delivery("delivered", revision=5, announce_at=long_ago, timeline=told)
    await dispatching.mongo["deliveries"].insert_one(delivery)
    await dispatching.dispatcher()
    await nothing_untold(dispatching)
    await eventually(lambda: len(told_of_deliveries(listening)) == 2)
    assert [(e.status, e.version) for e in told_of_deliveries(listening)] == [("sent", 4), ("delivered", 5)]


async def test_what_ends_while_it_is_planned_is_told(dispatching: World, listening: Received) -> None:
    await dispatching.dispatcher()
    await dispatching.accept(notification([member(1, message=" "), member(2)]))
    await eventually(lambda: bool(told_of_deliveries(listening)))
    (event,) = told_of_deliveries(listening)
    assert (event.status, event.version, event.code) == ("failed", 0, "EMPTY_MESSAGE")
