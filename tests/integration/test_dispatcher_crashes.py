"""Processes killed, stopped and cut off: everything ends, nothing is sent twice unmarked."""

import random
from collections import Counter

import aio_pika

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import FailureClass
from common.topology.declarations import EVENTS, OUTCOMES
from tests.support.dispatching.gateway import TOOK, Answer, Call, ScriptedGateway, failed
from tests.support.dispatching.notifications import member, notification
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World


def check_nobody_got_it_twice(found: list[DeliveryDocument], *gateways: ScriptedGateway) -> None:
    """By the providers' own ledgers."""
    taken = Counter(identity for gateway in gateways for identity in gateway.taken)
    assert Counter(delivery["status"] for delivery in found) == {"sent": len(found)}
    assert set(taken) == {delivery["_id"] for delivery in found}
    twice = {identity for identity, times in taken.items() if times > 1}
    assert twice <= {delivery["_id"] for delivery in found if delivery["possible_duplicate"]}


async def calls_reach(gateways: list[ScriptedGateway], count: int) -> None:
    async def have_called() -> bool:
        return sum(len(gateway.calls) for gateway in gateways) >= count

    await until(have_called, every=0.002)


async def test_dispatchers_killed_again_and_again_lose_nothing_and_double_nothing(dispatching: World) -> None:
    chance = random.Random(20251115)

    async def often_fails(_: Call) -> Answer:
        return failed(FailureClass.UNCLASSIFIED, "try again") if chance.random() < 0.1 else TOOK

    running = [await dispatching.dispatcher(), await dispatching.dispatcher()]
    gateways = [await dispatching.gateway(provider, often_fails) for provider in ("fonnte", "wablas")]
    await dispatching.accept(*(notification([member(n) for n in range(k * 50, k * 50 + 50)]) for k in range(10)))
    for kill in range(6):
        await calls_reach(gateways, 40 + 80 * kill + chance.randint(0, 40))
        running.pop(chance.randint(0, 1)).kill()
        running.append(await dispatching.dispatcher())
    found = await dispatching.settled(500, seconds=60)
    check_nobody_got_it_twice(found, *gateways)
    assert not any(delivery["possible_duplicate"] for delivery in found)


async def test_a_dispatcher_told_to_stop_finishes_what_it_has_begun(dispatching: World) -> None:
    first, _ = await dispatching.dispatcher(), await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    await dispatching.accept(*(notification([member(n) for n in range(k * 500, k * 500 + 500)]) for k in range(4)))
    await calls_reach([gateway], 200)
    status, seconds = first.stop()
    assert (status, seconds < 30) == (0, True)
    found = await dispatching.settled(2_000, seconds=60)
    check_nobody_got_it_twice(found, gateway)
    assert {delivery["attempts_made"] for delivery in found} == {1}


async def test_outcomes_told_twice_or_of_strangers_change_nothing(dispatching: World) -> None:
    await dispatching.dispatcher()
    gateway = await dispatching.gateway("fonnte")
    await dispatching.accept(notification(20))
    await dispatching.settled(20)
    before = await dispatching.becomes(20, announce_at={"$exists": False})
    for event in list(gateway.finished):
        await gateway.tell(list(reversed(event.outcomes)))
        await gateway.tell([outcome.model_copy(update={"delivery_id": "dlv_nobody"}) for outcome in event.outcomes])
        stranger = failed(FailureClass.AUTH)
        await gateway.tell(
            [
                outcome.model_copy(
                    update={"sender": "fonnte-99", "state": stranger.state, "failure": stranger.failure, "claim": "no"}
                )
                for outcome in event.outcomes
            ]
        )
    await dispatching.metric_reaches(len(gateway.finished), "envelope_handled_total", queue=OUTCOMES.name)
    assert await dispatching.deliveries() == before


async def test_an_envelope_nobody_understands_is_parked_and_the_queue_goes_on(dispatching: World) -> None:
    await dispatching.dispatcher()
    await dispatching.gateway()
    bodies = [b"{", b'{"notification_ids": 5}', b"\xff\xfe", b"[]"]
    async with await aio_pika.connect(dispatching.rabbitmq_url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(EVENTS.name)
        for body in bodies:
            await exchange.publish(aio_pika.Message(body), "notification.accepted")
    await dispatching.accept(notification())
    (delivery,) = await dispatching.settled(1)
    assert delivery["status"] == "sent"
    parked = dispatching.mongo["parked_envelopes"]

    async def all_are_parked() -> bool:
        return await parked.count_documents({}) == len(bodies)

    await until(all_are_parked)
    found = await parked.find().to_list(None)
    assert {(p["queue"], p["routing_key"]) for p in found} == {("dispatcher.notifications", "notification.accepted")}
    assert all(p["reason"].startswith("not valid") for p in found)
