"""Who is served when, by whom, and how often: the lanes of the running dispatcher."""

from collections import Counter
from statistics import median
from typing import Any

import pytest

from common.contracts.vocabulary import FailureClass, OnUnknown, Priority
from dispatcher.domain.hours import departure
from dispatcher.domain.planning import plan_delivery
from tests.support.dispatching.gateway import UNKNOWN, Answer, Call, failed
from tests.support.dispatching.model import ZONE
from tests.support.dispatching.notifications import member, notification, recipient
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World
from tests.support.storing import store


async def refuses(_: Call) -> Answer:
    return failed(FailureClass.TRANSPORT, "connection refused")


async def disconnected(_: Call) -> Answer:
    return failed(FailureClass.DISCONNECTED, "disconnected device")


async def never_tells(_: Call) -> Answer:
    return UNKNOWN


async def test_a_paced_sender_serves_the_priorities_in_their_order(dispatching: World) -> None:
    order = [Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.CRITICAL]
    await dispatching.accept(*(notification(2, priority=priority) for priority in order), announce=False)
    plain = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await dispatching.becomes(8, status="queued")
    plain.stop()
    gateway = await dispatching.gateway()
    await dispatching.dispatcher(WHATSAPP_QUEUE_DELAY="0.3")
    found = {delivery["_id"]: delivery["priority"] for delivery in await dispatching.settled(8)}
    served = [found[call.delivery_id] for call in gateway.calls]
    assert served == [priority for priority in reversed(order) for _ in range(2)]


async def test_behind_fifty_thousand_low_ones_a_high_one_is_next(dispatching: World) -> None:
    accepted = notification(0, priority=Priority.LOW)
    now = accepted["created_at"]
    waiting: Any = [
        plan_delivery(
            accepted,
            member(n),
            position=n,
            text="Halo",
            template=None,
            route=["fonnte"],
            refusal=None,
            departure=departure(accepted, now, ZONE),
            now=now,
        )
        for n in range(50_000)
    ]
    await store(dispatching.mongo, "deliveries", waiting)
    gateway = await dispatching.gateway()
    await dispatching.dispatcher(WHATSAPP_QUEUE_DELAY="0.4")
    await dispatching.becomes(3, status="sent")
    high = notification([member(60_000)], priority=Priority.HIGH)
    await dispatching.accept(high)
    await dispatching.becomes(notification_id=high["_id"])
    before = len(gateway.calls)
    await dispatching.becomes(notification_id=high["_id"], status="sent")
    place = [call.recipient for call in gateway.calls].index(member(60_000)["to"])
    assert place <= before + 1  # one may have been claimed already


async def test_nothing_is_claimed_beyond_its_validity(dispatching: World) -> None:
    await dispatching.dispatcher()
    await dispatching.gateway("fonnte", takes=False)
    wablas = await dispatching.gateway("wablas")
    claimed = None
    for n in range(20):  # a busy machine claims some too late
        await dispatching.accept(notification([member(n)], validity=1.5))
        (found,) = await dispatching.becomes(recipient=recipient(n), status={"$in": ["sending", "expired"]})
        claimed = found["attempt"]
        if claimed is not None:
            assert claimed["deadline"] <= found["expires_at"]
            break
    assert claimed is not None
    assert {delivery["status"] for delivery in await dispatching.settled(n + 1)} == {"expired"}
    assert wablas.calls == []


async def test_two_dispatchers_claim_every_delivery_once(dispatching: World) -> None:
    for _ in range(2):
        await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    await dispatching.accept(*(notification([member(n) for n in range(k * 500, k * 500 + 500)]) for k in range(4)))
    found = await dispatching.settled(2_000, seconds=60)
    assert Counter(delivery["status"] for delivery in found) == {"sent": 2_000}
    assert len(gateway.calls) == len({call.delivery_id for call in gateway.calls}) == 2_000
    assert {delivery["attempts_made"] for delivery in found} == {1}
    assert gateway.lost == 0


async def test_failing_over_takes_less_than_a_tenth_of_a_second_of_our_own(dispatching: World) -> None:
    answered: dict[str, float] = {}
    await dispatching.dispatcher()
    fonnte = await dispatching.gateway("fonnte", refuses)
    wablas = await dispatching.gateway("wablas")
    for n in range(30):
        await dispatching.mongo["senders"].update_one({"_id": fonnte.sender}, {"$unset": {"circuit": ""}})
        await dispatching.accept(notification([member(n)]))
        await dispatching.settled(n + 1)
    for event in fonnte.finished:
        for outcome in event.outcomes:
            answered[outcome.delivery_id] = outcome.finished_at.timestamp()
    own = [
        call.arrived_at.timestamp() - answered[call.delivery_id]
        for call in wablas.calls
        if call.delivery_id in answered
    ]
    assert len(own) >= 10
    assert median(own) < 0.1


async def test_a_gateway_that_takes_nothing_delays_nobody_longer_than_three_seconds(dispatching: World) -> None:
    await dispatching.dispatcher()
    await dispatching.gateway("fonnte", takes=False)
    wablas = await dispatching.gateway("wablas")
    await dispatching.accept(notification())
    (delivery,) = await dispatching.settled(1)
    claimed_at = next(entry["at"] for entry in delivery["timeline"] if entry["status"] == "sending")
    assert (wablas.calls[0].arrived_at - claimed_at).total_seconds() < 3
    assert [(a["provider"], a["outcome"]) for a in delivery["attempts"]] == [
        ("fonnte", "revoked"),
        ("wablas", "succeeded"),
    ]
    assert (delivery["possible_duplicate"], delivery["retries"]) == (False, 0)


async def test_the_lane_of_a_silent_gateway_is_served_by_the_other(dispatching: World) -> None:
    await dispatching.dispatcher()
    await dispatching.gateway("fonnte", beats=False, takes=False)
    await dispatching.mongo["senders"].insert_one(
        {
            "_id": "fonnte-1",
            "provider": "fonnte",
            "max_text_chars": 60_000,
            "gateway_seen_at": notification()["created_at"],
        }
    )

    async def fonnte_is_silent() -> bool:
        query = {"$expr": {"$lt": ["$gateway_seen_at", {"$subtract": ["$$NOW", 5_000]}]}}
        return await dispatching.mongo["senders"].count_documents(query) == 1

    await until(fonnte_is_silent)
    wablas = await dispatching.gateway("wablas")
    await dispatching.accept(notification(5))
    found = await dispatching.settled(5)
    assert len(wablas.calls) == 5
    assert {(d["status"], d["attempts_made"], d["failover"]) for d in found} == {("sent", 1, True)}


async def test_a_circuit_opens_is_probed_and_closes(dispatching: World) -> None:
    answers: list[Answer | None] = [failed(FailureClass.DISCONNECTED, "disconnected device")]

    async def recovers(_: Call) -> Answer:
        return (answers.pop() if answers else None) or Answer()

    process = await dispatching.dispatcher()
    fonnte = await dispatching.gateway("fonnte", recovers)
    await dispatching.accept(notification(validity=600))
    await dispatching.becomes(status="queued", attempts_made=1)
    senders = dispatching.mongo["senders"]

    async def circuit_is(state: str) -> bool:
        sender = await senders.find_one({"_id": fonnte.sender})
        return sender is not None and sender["circuit"]["state"] == state

    await until(lambda: circuit_is("open"))
    (waiting,) = await dispatching.deliveries()
    assert (waiting["lane"], waiting["retries"]) == ("fonnte,wablas", 0)
    assert len(fonnte.calls) == 1
    # Half a minute later:
    await senders.update_one(
        {"_id": fonnte.sender},
        [{"$set": {"circuit.retry_at": "$$NOW", "circuit.revision": {"$add": ["$circuit.revision", 1]}}}],
    )
    (delivery,) = await dispatching.settled(1)
    assert (delivery["status"], delivery["retries"]) == ("sent", 0)
    await until(lambda: circuit_is("closed"))
    assert len(process.events("circuit.opened")) == len(process.events("circuit.probed")) == 1


async def test_a_probe_is_made_with_the_least_tried_so_that_one_bad_message_keeps_nobody_out(
    dispatching: World,
) -> None:
    async def fails_the_first(call: Call) -> Answer:
        return failed(FailureClass.DISCONNECTED, "disconnected") if call.recipient == recipient(0) else Answer()

    await dispatching.dispatcher()
    fonnte = await dispatching.gateway("fonnte", fails_the_first)
    await dispatching.accept(notification([member(0)], providers=["fonnte"], validity=600))
    await dispatching.becomes(status="queued", attempts_made=1, lane="fonnte")
    await dispatching.accept(notification([member(1)], providers=["fonnte"], validity=600))
    await dispatching.becomes(2, status="queued", lane="fonnte")
    await dispatching.mongo["senders"].update_one(
        {"_id": fonnte.sender},
        [{"$set": {"circuit.retry_at": "$$NOW", "circuit.revision": {"$add": ["$circuit.revision", 1]}}}],
    )
    await dispatching.becomes(recipient=recipient(1), status="sent")
    assert [call.recipient for call in fonnte.calls][:2] == [recipient(0), recipient(1)]


async def test_a_sender_that_is_out_takes_nothing_and_the_other_provider_does(dispatching: World) -> None:
    await dispatching.dispatcher()
    fonnte = await dispatching.gateway("fonnte", disconnected)
    wablas = await dispatching.gateway("wablas")
    await dispatching.accept(notification())
    await dispatching.settled(1)
    await dispatching.accept(notification([member(n) for n in range(10, 30)]))
    await dispatching.settled(21)
    assert (len(fonnte.calls), len(wablas.calls)) == (1, 21)


async def test_a_paused_sender_takes_nothing_until_it_is_resumed(dispatching: World) -> None:
    gateway = await dispatching.gateway()
    wablas = await dispatching.gateway("wablas")
    senders = dispatching.mongo["senders"]
    await senders.update_one({"_id": gateway.sender}, {"$set": {"paused": True}})
    await dispatching.dispatcher()
    await dispatching.accept(notification(10, providers=["fonnte"]), notification([member(n) for n in range(20, 30)]))
    await dispatching.settled(10)
    assert (len(gateway.calls), len(wablas.calls)) == (0, 10)
    await senders.update_one({"_id": gateway.sender}, {"$set": {"paused": False}})
    await dispatching.settled(20)
    assert (len(gateway.calls), len(wablas.calls)) == (10, 10)


async def test_the_sixth_of_a_limit_of_five_waits_and_uses_no_retry(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_RATE_LIMIT_PER_MINUTE="5")
    gateway = await dispatching.gateway()
    await dispatching.accept(notification(6))
    await dispatching.settled(5)
    await dispatching.metric_reaches(2, "gate_wait_total", cause="minute")
    (sixth,) = await dispatching.deliveries(status="queued")
    assert (sixth["position"], sixth["lane"], sixth["retries"], sixth["attempts_made"]) == (5, "fonnte,wablas", 0, 0)
    assert len(gateway.calls) == 5


async def test_a_direct_send_beyond_a_limit_is_refused_at_once(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_RATE_LIMIT_PER_MINUTE="5")
    gateway = await dispatching.gateway()
    await dispatching.accept(notification(5))
    await dispatching.settled(5)
    direct = notification([member(50)], direct=True)
    await dispatching.accept(direct)
    (refused,) = await dispatching.becomes(status="cancelled", notification_id=direct["_id"])
    assert (refused["code"], refused["attempts_made"]) == ("MINUTE_LIMIT_EXCEEDED", 0)
    assert len(gateway.calls) == 5


async def test_what_is_critical_does_not_wait_for_the_limit_of_one_provider(dispatching: World) -> None:
    for _ in range(2):
        await dispatching.dispatcher(WHATSAPP_RATE_LIMIT_PER_MINUTE="5")
    fonnte, wablas = await dispatching.gateway(), await dispatching.gateway("wablas")
    await dispatching.accept(notification(7))
    await dispatching.settled(5)
    urgent = [notification([member(50 + n)], priority=Priority.CRITICAL, direct=n == 1) for n in range(5)]
    await dispatching.accept(*urgent)
    for one in urgent:
        (sent,) = await dispatching.becomes(status="sent", notification_id=one["_id"])
        assert sent["failover"]
        assert "to wablas-1; fonnte is out or at a limit" in [entry["cause"] for entry in sent["timeline"]]
    assert (len(fonnte.calls), len(wablas.calls)) == (5, 5)
    # Both are full now: what is critical waits as well, and whoever waits for an answer gets one.
    direct = notification([member(70)], priority=Priority.CRITICAL, direct=True)
    await dispatching.accept(direct, notification([member(71)], priority=Priority.CRITICAL))
    (refused,) = await dispatching.becomes(status="cancelled", notification_id=direct["_id"])
    assert (refused["code"], refused["attempts_made"]) == ("MINUTE_LIMIT_EXCEEDED", 0)
    waiting = await dispatching.becomes(3, status="queued", lane="fonnte,wablas")
    assert [delivery["attempts_made"] for delivery in waiting] == [0, 0, 0]


async def test_a_recipients_cap_counts_each_sending_once_whoever_claims(dispatching: World) -> None:
    for _ in range(2):
        await dispatching.dispatcher(KABAR_RECIPIENT_LIMIT_PER_DAY="3")
    gateway = await dispatching.gateway()
    await dispatching.accept(*(notification([member(7)]) for _ in range(6)))
    await dispatching.settled(3)
    capped = await dispatching.becomes(3, status="queued", lane={"$exists": False})
    assert len(gateway.calls) == 3
    assert {(d["attempts_made"], d["retries"], d["attempt"]) for d in capped} == {(0, 0, None)}
    await dispatching.accept(notification([member(8)]))
    await dispatching.settled(4)


async def test_what_nobody_can_send_expires(dispatching: World) -> None:
    await dispatching.dispatcher()
    await dispatching.accept(notification(3, validity=1.5))
    assert {d["status"] for d in await dispatching.settled(3)} == {"expired"}


async def test_an_otp_is_never_resent_after_its_validity(dispatching: World) -> None:
    await dispatching.dispatcher()
    gateways = [await dispatching.gateway(provider, refuses) for provider in ("fonnte", "wablas")]
    made = notification(
        type="otp",
        message=None,
        data={"code": "123456"},
        priority=Priority.CRITICAL,
        validity=3.0,
        unknown_wait_seconds=0.0,
    )
    await dispatching.accept(made)
    (delivery,) = await dispatching.settled(1)
    assert delivery["status"] == "expired"
    calls = [call for gateway in gateways for call in gateway.calls]
    assert len(calls) >= 2
    assert all(call.arrived_at < made["expires_at"] for call in calls)


@pytest.mark.parametrize(("policy", "status"), [(OnUnknown.RESEND, "sent"), (OnUnknown.HOLD, "unknown")])
async def test_after_an_unknown_outcome_the_policy_decides(dispatching: World, policy: OnUnknown, status: str) -> None:
    await dispatching.dispatcher()
    await dispatching.gateway("fonnte", never_tells)
    wablas = await dispatching.gateway("wablas")
    await dispatching.accept(notification(on_unknown=policy, unknown_wait_seconds=0.5))
    (delivery,) = await dispatching.settled(1)
    assert (delivery["status"], delivery["possible_duplicate"]) == (status, policy is OnUnknown.RESEND)
    assert len(wablas.calls) == (policy is OnUnknown.RESEND)
