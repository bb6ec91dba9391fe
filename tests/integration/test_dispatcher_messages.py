"""What people answer is heeded: STOP ends what may be suppressed, START lets it begin again, a digit rates a ticket."""

from datetime import UTC, datetime, timedelta
from typing import Any

from common.contracts.events import MessageReceived
from common.kernel.identity import new_id
from common.mongo.directory import Directory
from common.topology.declarations import EVENTS
from tests.support.dispatching.notifications import notification, recipient
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World

PERSON = recipient(0)


async def say(world: World, text: str, *, person: str = PERSON, ago: float = 0.0, **said: Any) -> MessageReceived:
    message = MessageReceived(
        event_id=said.pop("event_id", new_id("msg")),
        occurred_at=datetime.now(UTC) - timedelta(seconds=ago),
        provider="fonnte",
        sender="fonnte-1",
        message_from=person,
        text=text,
        **said,
    )
    await world.broker.publish(EVENTS, message)
    return message


async def surveyed(world: World) -> None:
    """Somebody was sent a survey about T-1."""
    await world.accept(notification(1, subject="ticket T-1"))
    [delivery] = await world.settled(1)
    await world.mongo["deliveries"].update_one({"_id": delivery["_id"]}, {"$set": {"type": "satisfaction_survey"}})


async def suppressed(world: World, *people: str) -> None:
    """Wait until exactly these are."""

    async def so() -> bool:
        return {one["_id"] async for one in world.mongo["suppressions"].find({})} == set(people)

    await until(so)


async def test_stop_ends_what_waits_and_start_lifts_it_but_nothing_a_person_decided(dispatching: World) -> None:
    world = dispatching
    await world.dispatcher()
    blocked = recipient(1)
    await world.mongo["suppressions"].insert_one(
        {"_id": blocked, "reason": "blocked", "note": None, "created_by": "admin", "created_at": datetime.now(UTC)}
    )
    await world.accept(notification(1, suppressible=True, send_at=datetime.now(UTC) + timedelta(hours=1)))
    await world.becomes(status="scheduled")
    await say(world, " Stop! ", ago=20)
    await suppressed(world, PERSON, blocked)
    await world.becomes(status="suppressed")
    await say(world, "Mulai", ago=10)
    await say(world, "START", person=blocked, ago=10)
    await suppressed(world, blocked)
    await say(world, "STOP", ago=20)  # told once more
    await say(world, "berhenti", person=recipient(2), group="120363000000000001@g.us")
    await say(world, "stop", person=recipient(3))
    await suppressed(world, blocked, recipient(3))


async def test_a_digit_rates_the_ticket_of_the_last_survey(dispatching: World) -> None:
    world = dispatching
    await world.gateway()
    await world.dispatcher()
    await say(world, "1")  # nobody has asked
    await surveyed(world)
    await world.accept(notification(1))
    await world.settled(2)
    await say(world, "Terima kasih")
    answer = await say(world, "5")
    await say(world, "5", event_id=answer.event_id)
    directory = Directory(world.mongo, zone=UTC)

    async def rated() -> bool:
        ticket = await directory.get("tickets", "T-1")
        return ticket is not None and ticket["rating"] == 5

    await until(rated)
    assert await world.mongo["tickets"].count_documents({}) == 1


async def test_a_survey_of_more_than_a_week_ago_is_closed(dispatching: World) -> None:
    world = dispatching
    await world.gateway()
    await world.dispatcher()
    await surveyed(world)
    old = datetime.now(UTC) - timedelta(days=8)
    await world.mongo["deliveries"].update_many({}, {"$set": {"sent_at": old}})
    await say(world, "5")
    await say(world, "stop", person=recipient(3))
    await suppressed(world, recipient(3))
    assert not await world.mongo["tickets"].count_documents({})
