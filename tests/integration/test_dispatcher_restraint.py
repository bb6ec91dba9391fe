"""What is kept from people: in their quiet hours, after they opted out, told already. Each says why."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from common.contracts.documents import DeliveryDocument, Hours, SuppressionDocument
from common.contracts.vocabulary import Priority, SuppressionReason
from common.mongo.suppressions import Suppressions
from dispatcher.adapters.mongo_repeats import MongoRepeats
from dispatcher.domain.hours import departure
from dispatcher.domain.planning import plan_delivery
from dispatcher.domain.repeats import OnlyOnce
from tests.support.dispatching.gateway import TOOK, Answer, Call
from tests.support.dispatching.notifications import member, notification, recipient
from tests.support.dispatching.world import World

ZONE = ZoneInfo("Asia/Jakarta")


def hours_from(now: datetime, begins: float, ends: float) -> Hours:
    """Hours so many hours from now, to the minute."""
    times = (now + timedelta(hours=begins), now + timedelta(hours=ends))
    first, last = (f"{time.astimezone(ZONE):%H:%M}" for time in times)
    return Hours(begins=first, ends=last)


def quiet() -> Hours:
    """It is outside of these hours now."""
    return hours_from(datetime.now(UTC), 2, 6)


def opted_out(number: int, **changed: Any) -> SuppressionDocument:
    document = {"_id": recipient(number), "reason": SuppressionReason.OPT_OUT, "note": None, "created_by": "recipient",
                "created_at": datetime.now(UTC), **changed}  # fmt: skip
    return cast("SuppressionDocument", document)


async def test_outside_of_the_hours_it_is_scheduled_until_they_begin(dispatching: World) -> None:
    await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    hours = quiet()
    await dispatching.accept(notification(2, hours=hours), notification([member(9)]))
    waiting = await dispatching.becomes(2, status="scheduled")
    await dispatching.becomes(status="sent")
    for delivery in waiting:
        wakes = delivery["wake_at"].astimezone(ZONE)
        assert f"{wakes:%H:%M}" == hours["begins"]
        assert timedelta(hours=1.9) < wakes - datetime.now(UTC) <= timedelta(hours=2)
        assert delivery["timeline"][-1]["cause"] == f"planned; quiet hours until {hours['begins']}"
    assert [call.recipient for call in gateway.calls] == [recipient(9)]


async def test_within_the_hours_it_goes(dispatching: World) -> None:
    await dispatching.dispatcher()
    await dispatching.gateway()
    await dispatching.accept(notification(hours=hours_from(datetime.now(UTC), -2, 2)))
    (delivery,) = await dispatching.settled(1)
    assert delivery["status"] == "sent"


async def store_in_line(world: World, count: int, *, waited: timedelta) -> list[DeliveryDocument]:
    """Low ones that were planned during their hours, which are over."""
    planned_at = datetime.now(UTC) - waited
    accepted = notification(0, priority=Priority.LOW, created_at=planned_at, validity=7 * 86_400.0)
    inside = departure(accepted, planned_at, ZONE)
    accepted["hours"] = quiet()
    line = [
        plan_delivery(
            accepted,
            member(1_000 + n),
            position=n,
            text="Halo",
            template=None,
            route=["fonnte"],
            refusal=None,
            departure=inside,
            now=planned_at,
        )
        for n in range(count)
    ]
    await world.mongo["deliveries"].insert_many(line, ordered=False)
    return line


async def test_a_long_line_does_not_run_into_the_night_and_takes_nobody_elses_slot(dispatching: World) -> None:
    await store_in_line(dispatching, 3_000, waited=timedelta(hours=5))
    gateway = await dispatching.gateway()
    await dispatching.dispatcher(WHATSAPP_QUEUE_DELAY="5")
    waiting = await dispatching.becomes(3_000, status="scheduled", seconds=20)
    assert {d["attempts_made"] for d in waiting} == {0}
    assert all(d["timeline"][-1]["cause"].startswith("quiet hours until") for d in waiting)
    asked = datetime.now(UTC)
    await dispatching.accept(notification([member(1)]))
    await dispatching.becomes(status="sent")
    assert (gateway.calls[0].arrived_at - asked).total_seconds() < 3  # the slot was never taken
    assert len(gateway.calls) == 1
    # In the morning they stand as they stood.
    order = sorted(waiting, key=lambda d: (d["queued_at"], d["position"]))
    assert [d["position"] for d in order] == list(range(3_000))


async def test_who_opted_out_before_it_is_planned_gets_nothing_but_what_must_be_told(dispatching: World) -> None:
    await Suppressions(dispatching.mongo, ZONE).add(opted_out(1))
    await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    offer = notification([member(1), member(2)], suppressible=True)
    alarm = notification([member(1)], suppressible=False)
    await dispatching.accept(offer, alarm)
    await dispatching.settled(3)
    kept = await dispatching.delivery(status="suppressed")
    day = datetime.now(ZONE)
    assert (kept["recipient"], kept["code"]) == (recipient(1), "SUPPRESSED")
    assert kept["reason"] == kept["timeline"][0]["cause"] == f"opted out on {day:%Y-%m-%d}"
    assert not {"lane", "wake_at"} & kept.keys()
    assert sorted(call.recipient for call in gateway.calls) == [recipient(1), recipient(2)]
    await dispatching.metric_reaches(1, "delivery_settled_total", status="suppressed")


async def test_who_opts_out_while_it_waits_gets_nothing(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await dispatching.accept(notification(3, suppressible=True))
    await dispatching.becomes(3, status="queued")
    done = await Suppressions(dispatching.mongo, ZONE).add(opted_out(1))
    assert done.ended == 1
    assert (await dispatching.delivery(status="suppressed"))["recipient"] == recipient(1)


async def test_an_opt_out_nobody_ended_the_waiting_for_is_found_at_the_claim(dispatching: World) -> None:
    """As when the process died between storing the opt-out and ending what waits, or it was planned meanwhile."""
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await dispatching.accept(notification(300, suppressible=True))
    await dispatching.becomes(300, status="queued")
    await dispatching.mongo["suppressions"].insert_many([{**opted_out(number)} for number in range(0, 300, 3)])
    gateway = await dispatching.gateway()
    await dispatching.dispatcher()
    found = await dispatching.settled(300)
    suppressed = {d["recipient"]: d for d in found if d["status"] == "suppressed"}
    assert suppressed.keys() == {recipient(number) for number in range(0, 300, 3)}
    assert {d["attempts_made"] for d in suppressed.values()} == {0}
    assert {call.recipient for call in gateway.calls} == {recipient(n) for n in range(300) if n % 3}


async def test_opting_out_while_everything_is_being_sent_stops_what_is_not_claimed_yet(dispatching: World) -> None:
    suppressions = Suppressions(dispatching.mongo, ZONE)
    opted: dict[str, datetime] = {}

    async def somebody_opts_out(call: Call) -> Answer:
        number = int(call.recipient[-3:]) + 100
        if number < 900:
            await suppressions.add(opted_out(number))
            opted[recipient(number)] = datetime.now(UTC)
        return TOOK

    await dispatching.gateway("fonnte", somebody_opts_out)
    await dispatching.dispatcher()
    await dispatching.accept(notification([member(n) for n in range(100, 900)], suppressible=True))
    found = await dispatching.settled(800, seconds=60)
    for delivery in found:
        claimed = [entry["at"] for entry in delivery["timeline"] if entry["status"] == "sending"]
        if delivery["status"] == "sent" and delivery["recipient"] in opted:
            assert claimed[0] < opted[delivery["recipient"]]
        assert delivery["status"] in {"sent", "suppressed"}
    assert any(delivery["status"] == "suppressed" for delivery in found)


async def test_the_same_is_told_once_within_its_time_and_the_later_one_says_so(dispatching: World) -> None:
    await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    about: dict[str, Any] = {"subject": "invoice I-1", "stage": "T-3", "dedupe_seconds": 3600.0}
    first = notification([member(1), member(2)], **about)
    await dispatching.accept(first)
    await dispatching.settled(2)
    again, other_stage = (
        notification([member(1), member(3)], **about),
        notification([member(1)], **{**about, "stage": "T-1"}),
    )
    await dispatching.accept(again, other_stage)
    await dispatching.settled(5)
    kept = await dispatching.delivery(status="suppressed")
    assert (kept["notification_id"], kept["recipient"], kept["code"]) == (again["_id"], recipient(1), "DUPLICATE")
    assert (kept["reason"] or "").startswith("the same was told on ")
    assert len(gateway.calls) == 4


async def test_what_came_to_nothing_keeps_nobody_from_being_told(dispatching: World) -> None:
    await dispatching.dispatcher()
    await dispatching.gateway()
    about: dict[str, Any] = {"subject": "invoice I-1", "dedupe_seconds": 3600.0}
    scheduled = notification(1, send_at=datetime.now(UTC) + timedelta(hours=1), **about)
    await dispatching.accept(scheduled)
    await dispatching.becomes(status="scheduled")
    await dispatching.mongo["notifications"].update_one(
        {"_id": scheduled["_id"]}, {"$set": {"status": "cancelled", "wake_at": datetime.now(UTC)}}
    )
    await dispatching.becomes(status="cancelled")
    await dispatching.accept(notification(1, **about))
    await dispatching.becomes(status="sent")


async def test_planned_again_after_a_crash_it_suppresses_nothing_of_its_own(dispatching: World) -> None:
    made = notification(500, subject="ticket T-1", dedupe_seconds=3600.0)
    await dispatching.accept(made, announce=False)
    first = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await dispatching.announce(made)
    await dispatching.becomes(1)
    first.kill()
    # As if it had died before it stored any of them.
    await dispatching.mongo["deliveries"].delete_many({})
    await dispatching.mongo["notifications"].update_one(
        {"_id": made["_id"]}, {"$set": {"status": "accepted", "wake_at": datetime.now(UTC)}}
    )
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await dispatching.becomes(500, status="queued")
    assert await dispatching.count() == 500


@pytest.mark.parametrize("attempt", range(3))
async def test_of_two_that_tell_the_same_at_once_exactly_one_is_sent(dispatching: World, attempt: int) -> None:
    for _ in range(2):
        await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    about: dict[str, Any] = {"subject": f"ticket T-{attempt}", "dedupe_seconds": 3600.0}
    both = [notification(200, **about) for _ in range(2)]
    await dispatching.accept(*both, announce=False)
    for made in both:  # in envelopes of their own, so that both dispatchers have one
        await dispatching.announce(made)
    found = await dispatching.settled(400)
    assert sorted(d["recipient"] for d in found if d["status"] == "sent") == sorted(recipient(n) for n in range(200))
    assert sorted(call.recipient for call in gateway.calls) == sorted(recipient(n) for n in range(200))
    assert sum(d["status"] == "suppressed" for d in found) == 200


def wanting(key: str, delivery: str, at: datetime, *, window: timedelta = timedelta(hours=1)) -> OnlyOnce:
    return OnlyOnce(key, delivery, at, at - window, at + window)


async def test_who_tells_something_first_keeps_it_until_its_time_is_over(dispatching: World) -> None:
    repeats = MongoRepeats(dispatching.mongo)
    now = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
    assert await repeats.among([wanting("k", "first", now), wanting("other", "third", now)]) == {}
    later = now + timedelta(minutes=59)
    assert await repeats.among([wanting("k", "second", later), wanting("k", "first", later)]) == {"second": now}
    over = now + timedelta(hours=1)
    assert await repeats.among([wanting("k", "second", over), wanting("k", "fourth", over)]) == {"fourth": over}
    assert await repeats.among([wanting("k", "second", over)]) == {}


async def test_what_is_told_long_after_keeps_nobody_from_being_told_now(dispatching: World) -> None:
    repeats = MongoRepeats(dispatching.mongo)
    now = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
    ahead = wanting("k", "ahead", now + timedelta(days=10))
    assert await repeats.among([ahead]) == {}
    assert await repeats.among([wanting("k", "due", now)]) == {}
    assert await repeats.among([wanting("k", "due", now), ahead]) == {}
    assert await repeats.among([wanting("k", "due again", now)]) == {"due again": now}
    near = wanting("k", "near", ahead.at - timedelta(minutes=59))
    assert await repeats.among([near]) == {"near": ahead.at}


async def test_what_is_called_off_while_it_is_sent_keeps_nobody_from_being_told(dispatching: World) -> None:
    repeats = MongoRepeats(dispatching.mongo)
    now = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
    await dispatching.mongo["deliveries"].insert_one({"_id": "sent", "status": "sending"})
    assert await repeats.among([wanting("k", "sent", now)]) == {}
    assert await repeats.among([wanting("k", "second", now)]) == {"second": now}
    await dispatching.mongo["deliveries"].update_one({"_id": "sent"}, {"$set": {"called_off": "cancelled"}})
    assert await repeats.among([wanting("k", "second", now)]) == {}
