"""Publishing is confirmed, handlers only return or raise, and what cannot be handled is parked with its reason."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aio_pika
import pytest
from prometheus_client import CollectorRegistry

from common.contracts.event import Event
from common.contracts.events import AttemptsRequested, NotificationAccepted, NotificationPlanned
from common.kernel.failures import Permanent, Transient
from common.messaging.broker import Envelope, RawEvent, connect
from common.topology.declarations import ANNOUNCEMENTS, ATTEMPTS, DEAD, EVENTS, NOTIFICATIONS, PARKED
from tests.support.bus import Received, connected, emptied, eventually, publish_raw, raw_channel, ready

NOW = datetime.now(UTC)


def accepted(*numbers: int) -> NotificationAccepted:
    return NotificationAccepted(notification_ids=[f"ntf_{number}" for number in numbers])


def planned(number: int) -> NotificationPlanned:
    return NotificationPlanned(
        event_id=f"ntf_{number}.planned", occurred_at=NOW, notification_id=f"ntf_{number}", type="custom",
        recipients=1, deliveries={"queued": 1},
    )  # fmt: skip


@pytest.fixture
async def url(rabbitmq_url: str) -> AsyncIterator[str]:
    await emptied(rabbitmq_url)
    yield rabbitmq_url
    await emptied(rabbitmq_url)


async def test_what_is_published_is_consumed_as_it_was_sent(url: str) -> None:
    received = Received()
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received)) as broker:
        await asyncio.gather(*(broker.publish(EVENTS, accepted(number)) for number in range(200)))
        await eventually(lambda: len(received.envelopes) == 200)
    assert {event.notification_ids[0] for event in received.events} == {f"ntf_{number}" for number in range(200)}
    assert len({envelope.message_id for envelope in received.envelopes}) == 200
    assert not any(envelope.redelivered for envelope in received.envelopes)


async def test_an_envelope_is_durable_and_says_what_and_whose_it_is(url: str) -> None:
    async with connected(url) as broker, raw_channel(url) as channel:
        await broker.publish(EVENTS, accepted(1))
        message = await (await channel.get_queue(NOTIFICATIONS.name)).get(no_ack=True)
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert (message.type, message.app_id, message.content_type) == ("notification.accepted", "test", "application/json")
    assert (message.message_id or "").startswith("env_")


async def test_what_no_queue_takes_is_not_published(url: str) -> None:
    nowhere = AttemptsRequested(claim="c", provider="unheard-of", sender="s", deadline=NOW, attempts=[])
    async with connected(url) as broker:
        with pytest.raises(Transient, match="did not take"):
            await broker.publish(ATTEMPTS, nowhere)
        await broker.publish(EVENTS, accepted(1))


async def test_publishing_waits_no_longer_than_asked_for_a_broker_that_is_away() -> None:
    async with connect("amqp://guest:guest@127.0.0.1:1/", name="test", registry=CollectorRegistry()) as broker:
        with pytest.raises(Transient, match=r"in 0\.2 s"):
            await broker.publish(EVENTS, accepted(1), timeout=0.2)


async def test_what_is_away_is_waited_for_with_the_same_envelope(url: str) -> None:
    received = Received(*[Transient("away")] * 2, TimeoutError("the driver's own failure"))
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received), transient=(TimeoutError,)) as broker:
        await broker.publish(EVENTS, accepted(1))
        assert await received.first() == accepted(1)
        assert await ready(url, PARKED) == 0
    assert received.calls == 4
    assert not received.envelopes[0].redelivered


async def test_what_can_never_succeed_is_parked_at_once_and_does_not_block_the_next_one(url: str) -> None:
    received, parked = Received(Permanent("nobody can plan this")), Received()
    async with connected(
        url, (NOTIFICATIONS, NotificationAccepted, received), (PARKED, None, parked), prefetch=1
    ) as broker:
        await broker.publish(EVENTS, accepted(1))
        await broker.publish(EVENTS, accepted(2))
        assert await received.first() == accepted(2)
        grave = await parked.first()
    assert isinstance(grave, RawEvent)
    assert NotificationAccepted.decode(grave.body) == accepted(1)
    assert grave.routing_key == NOTIFICATIONS.name
    assert grave.headers == {
        "x-kabar-reason": "nobody can plan this",
        "x-kabar-queue": NOTIFICATIONS.name,
        "x-kabar-exchange": EVENTS.name,
        "x-kabar-routing-key": "notification.accepted",
    }


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"\xff\xfe", b"[]", b'{"notification_ids": 7}', b'{"other": true}'], ids=repr
)
async def test_what_is_not_the_event_is_parked_with_what_is_wrong(url: str, body: bytes) -> None:
    received, parked = Received(), Received()
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received), (PARKED, None, parked)):
        await publish_raw(url, EVENTS, "notification.accepted", body)
        grave = await parked.first()
    assert grave.body == body
    assert grave.headers["x-kabar-reason"].startswith("not valid: ")
    assert received.calls == 0


async def test_an_unexpected_error_is_tried_three_times_and_then_parked(url: str) -> None:
    received, parked = Received(*[KeyError("provider")] * 3), Received()
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received), (PARKED, None, parked)) as broker:
        await broker.publish(EVENTS, accepted(1))
        grave = await parked.first()
        assert received.calls == 3
        await broker.publish(EVENTS, accepted(2))
        assert await received.first() == accepted(2)
    assert grave.headers["x-kabar-reason"] == "KeyError: 'provider'"


async def test_an_unexpected_error_that_passes_is_no_reason_to_park(url: str) -> None:
    received = Received(KeyError("a race"), KeyError("a race"))
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received)) as broker:
        await broker.publish(EVENTS, accepted(1))
        assert await received.first() == accepted(1)


async def test_what_cannot_be_handled_where_nothing_is_behind_waits_and_is_not_parked_again(url: str) -> None:
    defects = [Permanent("cannot be stored"), *[KeyError("cannot be stored")] * 4]
    parking = Received(*defects)
    async with connected(url, (PARKED, None, parking)):
        await publish_raw(url, DEAD, NOTIFICATIONS.name, b"odd")
        assert (await parking.first()).body == b"odd"
        assert await ready(url, PARKED) == 0
    assert parking.calls == len(defects) + 1
    [envelope] = parking.envelopes
    assert not envelope.redelivered
    assert "x-kabar-queue" not in envelope.event.headers


async def test_nothing_is_handled_before_it_may_begin(url: str) -> None:
    begin, received = asyncio.Event(), Received()

    async def ready_to_begin() -> None:
        await begin.wait()

    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received), ready=ready_to_begin) as broker:
        await broker.publish(EVENTS, accepted(1))
        await broker.publish(EVENTS, accepted(2))
        await eventually(lambda: sum(len(one.running) for one in broker._subscriptions) == 2)
        assert received.calls == 0
        begin.set()
        await eventually(lambda: len(received.envelopes) == 2)


async def test_a_process_that_never_began_gives_everything_back(url: str) -> None:
    never, received = asyncio.Event(), Received()

    async def ready_to_begin() -> None:
        await never.wait()

    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received), ready=ready_to_begin) as broker:
        await broker.publish(EVENTS, accepted(1))
        await eventually(lambda: any(one.running for one in broker._subscriptions))
        async with asyncio.timeout(5):
            await broker.drain(seconds=20)
        assert received.calls == 0
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received)):
        assert await received.first() == accepted(1)


async def test_an_envelope_that_kills_its_consumer_is_parked_after_the_delivery_limit(url: str) -> None:
    parked = Received()
    async with connected(url, (PARKED, None, parked)) as broker:
        await broker.publish(EVENTS, accepted(1))
        dying = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.dying_consumer", url, stdout=subprocess.PIPE
        )
        said, _ = await asyncio.wait_for(dying.communicate(), 60)
        grave = await parked.first()
    assert int(said.split()[-1]) == NOTIFICATIONS.delivery_limit + 1
    assert NotificationAccepted.decode(grave.body) == accepted(1)
    assert grave.headers["x-first-death-reason"] == "delivery_limit"
    assert grave.headers["x-first-death-queue"] == NOTIFICATIONS.name


async def test_no_more_envelopes_than_the_prefetch_are_handled_at_once(url: str) -> None:
    running, most, done = 0, 0, 0

    async def handle(_: Envelope[NotificationAccepted]) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1
        done += 1

    async with connected(url, (NOTIFICATIONS, NotificationAccepted, handle), prefetch=7) as broker:
        await asyncio.gather(*(broker.publish(EVENTS, accepted(number)) for number in range(100)))
        await eventually(lambda: done == 100)
    assert 1 < most <= 7


async def test_draining_finishes_what_is_under_way_and_leaves_the_rest_to_others(url: str) -> None:
    started, release, finished = asyncio.Event(), asyncio.Event(), []

    async def handle(envelope: Envelope[NotificationAccepted]) -> None:
        started.set()
        await release.wait()
        finished.append(envelope.event)

    async with connected(url, (NOTIFICATIONS, NotificationAccepted, handle), prefetch=1) as broker:
        await broker.publish(EVENTS, accepted(1))
        await started.wait()
        await broker.publish(EVENTS, accepted(2))
        draining = asyncio.create_task(broker.drain(seconds=20))
        done, _ = await asyncio.wait({draining}, timeout=0.3)
        assert not done
        release.set()
        await draining
        assert finished == [accepted(1)]
    received = Received()
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received)):
        assert await received.first() == accepted(2)
    assert not received.envelopes[0].redelivered


async def test_draining_does_not_wait_for_what_is_away(url: str) -> None:
    waiting = Received(*[Transient("away")] * 1_000)
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, waiting)) as broker:
        await broker.publish(EVENTS, accepted(1))
        await eventually(lambda: waiting.calls >= 3)
        async with asyncio.timeout(5):
            await broker.drain(seconds=20)
    received = Received()
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received)):
        assert await received.first() == accepted(1)
    assert received.envelopes[0].redelivered


async def test_many_are_published_together_and_each_keeps_its_own_identity(url: str) -> None:
    received = Received()
    many = [planned(number) for number in range(300)]
    async with connected(url, (ANNOUNCEMENTS, Event, received)) as broker:
        await broker.publish_many(EVENTS, many)
        await eventually(lambda: len(received.envelopes) == 300)
    assert received.events == many
    assert [envelope.message_id for envelope in received.envelopes] == [event.event_id for event in many]


async def test_what_nobody_asked_for_reaches_nobody_and_what_somebody_asked_for_stays_asked_for(url: str) -> None:
    async with raw_channel(url) as channel:
        for key in ANNOUNCEMENTS.routing_keys:
            await (await channel.get_queue(ANNOUNCEMENTS.name)).unbind(EVENTS.name, key)
    async with connected(url) as broker:
        await broker.publish_many(EVENTS, [planned(1)])
        await broker.publish(EVENTS, planned(2))
        assert await ready(url, ANNOUNCEMENTS) == 0
        for _ in range(2):
            await broker.bind(ANNOUNCEMENTS, [NotificationPlanned.routing_key])
    received = Received()
    async with connected(url) as other:
        await other.publish(EVENTS, planned(3))
    async with connected(url, (ANNOUNCEMENTS, Event, received)):
        assert await received.first() == planned(3)


async def test_nothing_is_bound_while_the_broker_is_away() -> None:
    async with connect("amqp://guest:guest@127.0.0.1:1/", name="test", registry=CollectorRegistry()) as broker:
        with pytest.raises(Transient, match="is away"):
            await broker.bind(ANNOUNCEMENTS, ANNOUNCEMENTS.routing_keys)


async def test_one_of_many_that_no_queue_takes_is_told(url: str) -> None:
    nowhere = AttemptsRequested(claim="c", provider="unheard-of", sender="s", deadline=NOW, attempts=[])
    async with connected(url) as broker:
        with pytest.raises(Transient, match="did not take all"):
            await broker.publish_many(ATTEMPTS, [nowhere])


async def test_what_cannot_be_written_spoils_nothing_that_follows(url: str) -> None:
    endless = AttemptsRequested(claim="c", provider="x" * 300, sender="s", deadline=NOW, attempts=[])
    received = Received()
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received)) as broker:
        for number in range(3):
            with pytest.raises(TypeError, match="255"):
                await broker.publish_many(ATTEMPTS, [endless])
            await broker.publish_many(EVENTS, [accepted(number)])
            await broker.publish(EVENTS, accepted(10 + number))
        await eventually(lambda: len(received.envelopes) == 6)


async def test_many_wait_while_the_connection_has_enough_to_write(url: str) -> None:
    received = Received()
    async with connected(url, (ANNOUNCEMENTS, Event, received), prefetch=100) as broker:
        batches = [[planned(100 * batch + number) for number in range(20)] for batch in range(60)]
        # Far more at once than the library's queue of frames holds, and a plain publish between them.
        await asyncio.gather(
            *(broker.publish_many(EVENTS, batch) for batch in batches),
            *(broker.publish(EVENTS, planned(10_000 + number)) for number in range(60)),
        )
        await eventually(lambda: len(received.envelopes) == 60 * 20 + 60)
        channel = await broker._underlay()
        assert not channel.confirmations
        assert not channel.message_id_delivery_tag


async def test_one_that_fills_several_frames_is_published_whole(url: str) -> None:
    received = Received()
    large = accepted(*range(100_000))
    async with connected(url, (NOTIFICATIONS, NotificationAccepted, received)) as broker:
        await broker.publish_many(EVENTS, [large, accepted(1)])
        await eventually(lambda: len(received.envelopes) == 2)
    assert received.events == [large, accepted(1)]


async def test_many_wait_no_longer_than_asked_for_a_broker_that_is_away() -> None:
    async with connect("amqp://guest:guest@127.0.0.1:1/", name="test", registry=CollectorRegistry()) as broker:
        with pytest.raises(Transient, match=r"2 events in 0\.2 s"):
            await broker.publish_many(EVENTS, [accepted(1), accepted(2)], timeout=0.2)
