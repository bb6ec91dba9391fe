"""Planning in the running dispatcher: any size, any crash, any order."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from common.contracts.documents import INLINE_AUDIENCE, NotificationDocument
from tests.support.dispatching.notifications import member, notification
from tests.support.dispatching.polling import until
from tests.support.dispatching.process import DispatcherProcess
from tests.support.dispatching.world import World

MEGABYTE = 1024 * 1024


async def large(world: World, pages: int) -> NotificationDocument:
    """Accepted, in pages, and told to nobody."""
    made = notification(0, pages=pages, recipients=pages * INLINE_AUDIENCE)
    for number in range(pages):
        first = 1000 + number * INLINE_AUDIENCE
        page = [member(n) for n in range(first, first + INLINE_AUDIENCE)]
        await world.store_pages(made, [page], first=number)
    await world.accept(made, announce=False)
    return made


async def planned(world: World, made: NotificationDocument, *, seconds: float = 60) -> None:
    async def is_planned() -> bool:
        stored = await world.mongo["notifications"].find_one({"_id": made["_id"]})
        return stored is not None and stored["status"] == "planned" and "wake_at" not in stored

    await until(is_planned, seconds=seconds)


async def test_a_list_is_planned_in_its_order_each_with_its_own_text(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    own = [
        member(1),
        member(2, message="Selamat pagi"),
        member(3, message="Halo {{ nama }}", data={"nama": "Budi"}),
        member(4, message="Halo {{ tidak_ada }}", data={}),
        member(5, message="{{ kosong }}", data={"kosong": " "}),
    ]
    made = notification(own)
    await dispatching.accept(made)
    await planned(dispatching, made)
    found = await dispatching.deliveries()
    assert [(d["position"], d["status"], d["message"]) for d in found] == [
        (0, "queued", "Halo"),
        (1, "queued", "Selamat pagi"),
        (2, "queued", "Halo Budi"),
        (3, "failed", ""),
        (4, "failed", found[4]["message"]),
    ]
    assert [d["code"] for d in found] == [None, None, None, "REFUSED", "EMPTY_MESSAGE"]


async def test_planning_the_same_by_several_at_once_changes_nothing(dispatching: World) -> None:
    for _ in range(2):
        await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    made = await large(dispatching, 6)
    for _ in range(8):
        await dispatching.announce(made)
    await planned(dispatching, made)
    await dispatching.metric_reaches(8, "envelope_handled_total", queue="dispatcher.notifications")
    assert await dispatching.count() == 6_000
    assert await dispatching.count(status="queued") == 6_000


async def test_a_hundred_thousand_are_planned_in_flat_memory_and_across_kills(dispatching: World) -> None:
    made = await large(dispatching, 100)
    first = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    at_rest = first.resident_bytes
    await dispatching.announce(made)
    await until(lambda: at_least(dispatching, 20_000), seconds=60)
    grown = first.resident_bytes - at_rest
    first.kill()
    second = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    at_rest = second.resident_bytes
    await until(lambda: at_least(dispatching, 50_000), seconds=60)
    status, seconds = second.stop()
    assert (status, seconds < 10) == (0, True)
    third = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    at_rest = third.resident_bytes
    await planned(dispatching, made)
    assert await dispatching.count(status="queued", lane="fonnte,wablas") == 100_000
    assert max(grown, third.resident_bytes - at_rest) < 60 * MEGABYTE


async def at_least(world: World, count: int) -> bool:
    return await world.mongo["deliveries"].estimated_document_count() >= count


async def test_a_notification_whose_envelope_was_lost_is_planned_within_seconds(dispatching: World) -> None:
    await dispatching.dispatcher()
    await dispatching.gateway()
    await dispatching.accept(notification(), announce=False)
    (delivery,) = await dispatching.settled(1, seconds=5)
    assert delivery["status"] == "sent"


async def test_one_that_cannot_be_planned_keeps_no_other_from_it(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    poisoned = notification(type="no_such_type")
    gone = notification(0, pages=1, recipients=5)
    sound = notification()
    await dispatching.accept(poisoned, gone, sound, announce=False)
    await planned(dispatching, sound, seconds=10)
    assert (await dispatching.delivery())["notification_id"] == sound["_id"]


@pytest.mark.parametrize("crash", [False, True])
async def test_cancelling_while_it_is_planned_leaves_each_recipient_a_cancelled_delivery(
    dispatching: World, *, crash: bool
) -> None:
    made = await large(dispatching, 20)
    process: DispatcherProcess = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await dispatching.announce(made)
    await until(lambda: at_least(dispatching, 2_000))
    if crash:
        process.kill()
    await cancel(dispatching, made)
    if crash:
        await dispatching.dispatcher(WHATSAPP_ENABLED="false")

    await until(lambda: closed(dispatching, made))
    assert await dispatching.count() == await dispatching.count(status="cancelled") == 20_000
    assert await dispatching.count(lane={"$exists": True}) == 0
    assert await dispatching.count(wake_at={"$exists": True}) == 0


async def cancel(world: World, made: NotificationDocument) -> None:
    """As the API does: a sweeper is to look at what is left of it."""
    cancelling = {"$set": {"status": "cancelled", "wake_at": datetime.now(UTC)}}
    await world.mongo["notifications"].update_one({"_id": made["_id"]}, cancelling)


async def closed(world: World, made: NotificationDocument) -> bool:
    stored = await world.mongo["notifications"].find_one({"_id": made["_id"]})
    return stored is not None and "wake_at" not in stored


async def test_one_cancelled_before_it_was_planned_has_a_cancelled_delivery_for_each_recipient(
    dispatching: World,
) -> None:
    small, paged = notification(3), await large(dispatching, 2)
    await dispatching.accept(small, announce=False)
    for made in (small, paged):
        await cancel(dispatching, made)
    await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    for made in (small, paged):
        await dispatching.announce(made)
        await until(partial(closed, dispatching, made))
    found = await dispatching.deliveries(notification_id=small["_id"])
    assert [(d["status"], d["reason"], d["timeline"][-1]["cause"]) for d in found] == [
        ("cancelled", "its notification was cancelled", "its notification was cancelled")
    ] * 3
    assert await dispatching.count(notification_id=paged["_id"], status="cancelled") == 2_000
    assert await dispatching.count() == 2_003
    assert await dispatching.count(wake_at={"$exists": True}) == 0
    assert gateway.calls == []


async def test_a_scheduled_notification_is_sent_at_its_time_and_not_before(dispatching: World) -> None:
    await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    send_at = datetime.now(UTC) + timedelta(seconds=2)
    await dispatching.accept(notification(send_at=send_at))
    await dispatching.becomes(status="scheduled")
    (delivery,) = await dispatching.settled(1)
    assert delivery["status"] == "sent"
    late = (gateway.calls[0].arrived_at - send_at).total_seconds()
    assert 0 <= late < 1
