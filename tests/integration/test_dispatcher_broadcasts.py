"""Broadcasts out of the directory: everybody once, whatever happens meanwhile."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from bson import Timestamp

from api_gateway.adapters.mongo_ledger import MongoLedger
from common.contracts.documents import AudienceQuery, NotificationDocument
from tests.support.dispatching.directory import broadcast, customer, store_customers, store_template
from tests.support.dispatching.notifications import lapse, member, notification, recipient
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World

TEXT = "Halo {{ customer.name | default('Pelanggan') }} di {{ customer.area }}: {{ campaign_title }}"


async def status_of(world: World, made: NotificationDocument, *statuses: str) -> NotificationDocument | None:
    stored = await world.mongo["notifications"].find_one({"_id": made["_id"]})
    over = stored is not None and stored["status"] in statuses and "wake_at" not in stored
    return stored if over else None  # type: ignore[return-value]  # a document of that collection


async def planned(world: World, made: NotificationDocument, *, seconds: float = 60) -> NotificationDocument:
    found = await until(partial(status_of, world, made, "planned", "cancelled"), seconds=seconds)
    assert found is not None
    return found


async def at_least(world: World, count: int) -> bool:
    return await world.mongo["deliveries"].estimated_document_count() >= count


async def conserved(world: World) -> None:
    """What was accepted is somewhere, at this moment."""
    counted = await MongoLedger(world.mongo).conservation()
    assert counted.difference == 0, counted
    assert counted.not_yet_planned >= 0
    assert counted.cancelled_before_planning >= 0


async def test_every_active_customer_gets_their_own_text_in_the_order_of_the_rows(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await store_template(dispatching, TEXT)
    await store_customers(
        dispatching,
        [customer(1), customer(2, name=None), customer(3, status="inactive"), customer(4), customer(5, area="Bogor")],
    )
    made = broadcast(5)
    await dispatching.accept(made)
    stored = await planned(dispatching, made)
    found = await dispatching.deliveries()
    assert [(d["position"], d["recipient"], d["message"]) for d in found] == [
        (0, recipient(1), "Halo Pelanggan 1 di Cibubur: Promo"),
        (1, recipient(2), "Halo Pelanggan di Depok: Promo"),
        (2, recipient(4), "Halo Pelanggan 4 di Depok: Promo"),
        (3, recipient(5), "Halo Pelanggan 5 di Bogor: Promo"),
    ]
    assert {(d["template"], d["status"], d["suppressible"]) for d in found} == {("promotion:7", "queued", True)}
    assert (stored["recipients"], stored["status"]) == (4, "planned")
    await conserved(dispatching)


async def test_an_area_gets_it_and_no_other(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await store_template(dispatching, TEXT)
    await store_customers(dispatching, [customer(number) for number in range(2_500)])
    made = broadcast(1_250, AudienceQuery(rows="customers", area="Depok"))
    await dispatching.accept(made)
    await planned(dispatching, made)
    found = await dispatching.deliveries()
    assert [d["recipient"] for d in found] == [recipient(number) for number in range(0, 2_500, 2)]
    assert [d["position"] for d in found] == list(range(1_250))


async def test_whoever_cannot_be_reached_has_an_outcome_too_and_one_number_gets_one(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await store_template(dispatching, TEXT)
    rows = [
        customer(1),
        customer(2, phone=None),
        customer(3, phone="12345"),
        customer(4, phone=recipient(1)),
        customer(5, phone="0812-0000-0005"),
    ]
    await store_customers(dispatching, rows)
    made = broadcast(9)
    await dispatching.accept(made)
    stored = await planned(dispatching, made)
    found = {d["recipient"]: d for d in await dispatching.deliveries()}
    assert {name: d["status"] for name, d in found.items()} == {
        recipient(1): "queued",
        "customer:C-000002": "failed",
        "customer:C-000003": "failed",
        "6281200000005": "queued",
    }
    assert found["customer:C-000002"]["code"] == found["customer:C-000003"]["code"] == "INVALID_PHONE"
    assert found["customer:C-000002"]["reason"] == "customer C-000002 has no phone number"
    assert found["customer:C-000003"]["timeline"][0]["cause"] == found["customer:C-000003"]["reason"]
    assert "12345" not in str(found["customer:C-000003"])
    assert found["customer:C-000002"]["route"] == []  # so that nobody tries it again
    assert stored["recipients"] == 4
    await conserved(dispatching)


async def test_a_list_of_customers_is_planned_in_its_order_and_an_unknown_one_is_told_of(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await store_template(dispatching, TEXT)
    await store_customers(dispatching, [customer(number) for number in range(1_500)])
    identities = [f"C-{number:06d}" for number in reversed(range(1_500))]
    identities.insert(3, "C-unknown")
    pages = [[member(0) | {"to": one} for one in identities[at : at + 1_000]] for at in (0, 1_000)]
    made = broadcast(1_501, AudienceQuery(rows="customers", listed=True), pages=2)
    await dispatching.store_pages(made, pages)
    await dispatching.accept(made)
    stored = await planned(dispatching, made)
    found = await dispatching.deliveries()
    assert [d["recipient"] for d in found][:5] == [*(recipient(n) for n in (1499, 1498, 1497)), "customer:C-unknown",
                                                  recipient(1496)]  # fmt: skip
    assert (found[3]["status"], found[3]["code"]) == ("failed", "NOT_FOUND")
    assert (len(found), stored["recipients"], found[-1]["position"]) == (1_501, 1_501, 1_500)


async def test_a_broadcast_to_nobody_is_planned_and_over(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await store_template(dispatching, TEXT)
    made = broadcast(3, AudienceQuery(rows="customers", area="Nowhere"))
    await dispatching.accept(made)
    stored = await planned(dispatching, made)
    assert (stored["recipients"], await dispatching.count()) == (0, 0)
    await conserved(dispatching)


@pytest.mark.parametrize("thought", [20_000, 3_000, 30_000], ids=["right", "too few", "too many"])
async def test_killed_again_and_again_while_planning_it_plans_everybody_once(dispatching: World, thought: int) -> None:
    await store_template(dispatching, TEXT)
    await store_customers(dispatching, [customer(number) for number in range(20_000)])
    made = broadcast(thought)
    await dispatching.accept(made, announce=False)
    for kill in range(3):
        process = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
        await dispatching.announce(made)
        await until(partial(at_least, dispatching, 5_000 * (kill + 1)), seconds=60, every=0.005)
        process.kill()
        await lapse(dispatching.mongo, made)
        await conserved(dispatching)
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    stored = await planned(dispatching, made)
    found = await dispatching.deliveries()
    assert Counter(d["recipient"] for d in found) == Counter(recipient(number) for number in range(20_000))
    assert [d["position"] for d in found] == list(range(20_000))
    assert stored["recipients"] == 20_000
    await conserved(dispatching)


async def test_two_planning_it_at_once_plan_everybody_once(dispatching: World) -> None:
    for _ in range(2):
        await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await store_template(dispatching, TEXT)
    await store_customers(dispatching, [customer(number) for number in range(6_000)])
    made = broadcast(6_000)
    await dispatching.accept(made, announce=False)
    for _ in range(4):
        await dispatching.announce(made)
    stored = await planned(dispatching, made)
    await dispatching.metric_reaches(4, "envelope_handled_total", queue="dispatcher.notifications")
    assert (await dispatching.count(), stored["recipients"]) == (6_000, 6_000)


async def test_cancelled_half_way_nothing_claimed_after_it_is_sent_and_everybody_has_an_outcome(
    dispatching: World,
) -> None:
    await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    await store_template(dispatching, TEXT)
    await store_customers(dispatching, [customer(number) for number in range(20_000)])
    await dispatching.accept(notification())
    await dispatching.settled(1)  # the sender is known, so sending begins with the first page
    made = broadcast(20_000)
    await dispatching.accept(made)
    await until(partial(at_least, dispatching, 4_000), seconds=60)

    async def some_are_sent() -> bool:
        return len(gateway.taken) > 100

    await until(some_are_sent, seconds=60)
    cancelled = await cancel(dispatching, made)
    stored = await planned(dispatching, made)
    await conserved(dispatching)
    await dispatching.settled(20_001, seconds=120)
    statuses = Counter(d["status"] for d in await dispatching.deliveries())
    assert statuses == {"sent": len(gateway.taken), "cancelled": 20_001 - len(gateway.taken)}
    assert statuses["cancelled"] > 10_000
    assert not await claimed_since(dispatching, cancelled) & set(gateway.taken)
    assert stored["recipients"] == 20_000


async def cancel(world: World, made: NotificationDocument) -> Timestamp:
    """As the API begins to; answers where in the order of all writes that stands."""
    change = {"$set": {"status": "cancelled", "wake_at": datetime.now(UTC)}}
    await world.mongo["notifications"].update_one({"_id": made["_id"]}, change)
    answer: dict[str, Timestamp] = await world.mongo.client.admin.command("ping")
    return answer["operationTime"]


async def claimed_since(world: World, since: Timestamp) -> set[str]:
    """The deliveries that were claimed after a write, whatever became of them."""
    deliveries = world.mongo.database["deliveries"]
    await deliveries.insert_one({"_id": "the end"})
    wanted = {"$or": [{"updateDescription.updatedFields.status": "sending"}, {"documentKey._id": "the end"}]}
    claimed = set()
    async with deliveries.watch([{"$match": wanted}], start_at_operation_time=since) as changes:
        async for change in changes:
            if change["documentKey"]["_id"] == "the end":
                break
            claimed.add(change["documentKey"]["_id"])
    return claimed


async def test_progress_adds_up_at_every_look(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await store_template(dispatching, TEXT)
    await store_customers(dispatching, [customer(number, phone=None if number % 7 == 0 else recipient(number))
                                        for number in range(10_000)])  # fmt: skip
    made = broadcast(9_000)
    await dispatching.accept(made)
    planning = asyncio.create_task(planned(dispatching, made))
    looks = 0
    while not planning.done():
        await conserved(dispatching)
        looks += 1
    assert looks > 3
    assert (await planning)["recipients"] == 10_000
    await conserved(dispatching)


async def test_a_password_does_not_wait_until_broadcasts_are_planned(dispatching: World) -> None:
    await store_template(dispatching, TEXT)
    await store_customers(dispatching, [customer(number) for number in range(4_000)])
    await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    broadcasts = [broadcast(4_000, send_at=datetime.now(UTC) + timedelta(hours=1)) for _ in range(5)]
    for made in broadcasts:
        await dispatching.accept(made)
    await until(partial(at_least, dispatching, 1))
    password = notification(1, priority="critical")
    await dispatching.accept(password)
    await dispatching.becomes(1, notification_id=password["_id"], status="sent")
    assert len(gateway.calls) == 1
    assert await dispatching.mongo["notifications"].count_documents({"status": "accepted"}) >= 3
    for made in broadcasts:
        assert (await planned(dispatching, made))["recipients"] == 4_000
    await conserved(dispatching)
