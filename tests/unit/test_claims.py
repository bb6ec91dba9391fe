"""What a claim takes, and what becomes of it when nobody can be told."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from common.contracts.documents import DeliveryDocument, Hours, SuppressionDocument
from common.contracts.vocabulary import AttemptState
from dispatcher.domain.lanes import lanes_served
from dispatcher.domain.rounds import CANCELLED
from tests.support.dispatching.memory import (
    DeliveriesInMemory,
    GatewaysInMemory,
    SuppressionsInMemory,
    claiming,
    lookout,
    sender,
)
from tests.support.dispatching.model import START, after, claimed, end_of, queued


def numbered(number: int, *, validity: float = 86_400.0) -> DeliveryDocument:
    return {**queued(validity=validity), "_id": f"delivery-{number}", "position": number}


class CalledOffWhileClaimed(DeliveriesInMemory):
    """Somebody cancels between the claim and what follows it."""

    async def read(self, ids: Sequence[str]) -> list[DeliveryDocument]:
        return [{**delivery, "called_off": CANCELLED} for delivery in await super().read(ids)]


async def test_what_was_cancelled_while_it_was_claimed_is_not_put_back() -> None:
    deliveries = CalledOffWhileClaimed(queued())
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, GatewaysInMemory(reachable=False))
    made = await claim("fonnte", list(deliveries.all.values()), None)
    assert (made.count, made.handed_over) == (1, False)
    assert deliveries.only["status"] == "cancelled"
    assert not {"lane", "wake_at"} & deliveries.only.keys()


async def test_what_is_cancelled_and_not_ended_yet_is_not_sent_whatever_else_goes() -> None:
    called_off, other = numbered(1), numbered(2)
    called_off["notification_id"] = "cancelled"
    deliveries, gateways = DeliveriesInMemory(called_off, other), GatewaysInMemory()
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, cancelled=["cancelled"])
    assert (await claim("fonnte", list(deliveries.all.values()), None)).count == 1
    assert [attempt.delivery_id for attempt in gateways.requests[0].attempts] == [other["_id"]]
    ended = deliveries.all[called_off["_id"]]
    assert (ended["status"], ended["reason"], ended["code"], ended["attempts_made"]) == (
        "cancelled",
        CANCELLED,
        None,
        0,
    )


async def test_what_is_cancelled_and_may_have_arrived_before_is_unknown() -> None:
    delivery = end_of(claimed(queued(unknown_wait_seconds=0.0), "fonnte"), AttemptState.UNKNOWN)
    deliveries = DeliveriesInMemory(delivery)
    picture = await lookout(sender("fonnte-1"), sender("wablas-1"))
    whose = [delivery["notification_id"]]
    claim = claiming(picture, deliveries, GatewaysInMemory(), identity="wablas-1", cancelled=whose)
    assert (await claim("wablas", [deliveries.only], None)).count == 0
    assert (deliveries.only["status"], deliveries.only["called_off"]) == ("unknown", CANCELLED)


async def test_what_a_person_wants_after_its_notification_was_cancelled_goes() -> None:
    wanted: DeliveryDocument = {**queued(), "retried_at": START}
    deliveries, gateways = DeliveriesInMemory(wanted), GatewaysInMemory()
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, cancelled=[wanted["notification_id"]])
    assert (await claim("fonnte", list(deliveries.all.values()), None)).count == 1
    assert len(gateways.requests) == 1


async def test_one_about_to_expire_shortens_nobody_elses_deadline() -> None:
    deliveries = DeliveriesInMemory(numbered(0, validity=0.5), *(numbered(n) for n in range(1, 5)))
    gateways = GatewaysInMemory()
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways)
    await claim("fonnte", list(deliveries.all.values()), None)
    (request,) = gateways.requests
    assert [attempt.delivery_id for attempt in request.attempts] == ["delivery-0"]
    assert request.deadline == after(0.5)
    await claim("fonnte", [numbered(n) for n in range(1, 5)], None)
    assert gateways.requests[1].deadline == START + timedelta(seconds=2.5)
    assert len(gateways.requests[1].attempts) == 4


async def test_those_that_expire_together_are_claimed_together() -> None:
    deliveries = DeliveriesInMemory(*(numbered(n, validity=0.5) for n in range(4)), numbered(4))
    gateways = GatewaysInMemory()
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways)
    await claim("fonnte", list(deliveries.all.values()), None)
    assert len(gateways.requests[0].attempts) == 4


async def test_a_lane_may_name_a_provider_without_senders() -> None:
    picture = await lookout(sender("fonnte-1"))
    assert "fonnte,wablas" in lanes_served("fonnte", known=picture.providers(), usable=picture.usable())


async def test_who_opts_out_between_the_look_and_the_claim_gets_nothing() -> None:
    deliveries, gateways, suppressions = (
        DeliveriesInMemory(*two_recipients()),
        GatewaysInMemory(),
        SuppressionsInMemory(),
    )
    deliveries.on_claim = lambda: suppressions.add("6281200000001")
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, suppressions=suppressions)
    made = await claim("fonnte", list(deliveries.all.values()), None)
    (request,) = gateways.requests
    assert (made.count, [attempt.recipient for attempt in request.attempts]) == (1, ["6281200000002"])
    ended = deliveries.all["delivery-1"]
    assert (ended["status"], ended["reason"]) == ("suppressed", "opted out on 2025-11-15")
    assert (ended["code"], ended["attempts_made"], ended["attempt"]) == ("SUPPRESSED", 0, None)


class ChangedMeanwhile(SuppressionsInMemory):
    """Somebody calls the deliveries off after their claim, right before what was found of them is saved."""

    deliveries: DeliveriesInMemory

    async def among(self, recipients: Collection[str]) -> dict[str, SuppressionDocument]:
        self.deliveries.call_off()
        return await super().among(recipients)


async def test_what_changes_while_it_is_kept_from_who_opted_out_is_looked_at_again() -> None:
    deliveries, gateways, suppressions = DeliveriesInMemory(*two_recipients()), GatewaysInMemory(), ChangedMeanwhile()
    suppressions.deliveries = deliveries
    suppressions.add("6281200000001")
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, suppressions=suppressions)
    await claim("fonnte", list(deliveries.all.values()), None)
    (request,) = gateways.requests
    assert [attempt.recipient for attempt in request.attempts] == ["6281200000002"]
    ended = deliveries.all["delivery-1"]
    assert (ended["status"], ended["code"], ended["attempts_made"]) == ("suppressed", "SUPPRESSED", 0)
    assert (ended["attempt"], "wake_at" in ended) == (None, False)


class RevokedMeanwhile(ChangedMeanwhile):
    """A sweeper revokes the attempts, and another dispatcher claims the deliveries anew."""

    async def among(self, recipients: Collection[str]) -> dict[str, SuppressionDocument]:
        for identity, delivery in self.deliveries.all.items():
            revoked: Any = {**delivery, "attempt": None}
            again: Any = claimed(revoked, "wablas")
            again["attempt"] |= {"claim": "another"}
            self.deliveries.all[identity] = again | {"revision": delivery["revision"] + 2}
        return await SuppressionsInMemory.among(self, recipients)


async def test_what_another_claims_meanwhile_is_left_to_that_claim() -> None:
    deliveries, gateways, suppressions = DeliveriesInMemory(two_recipients()[0]), GatewaysInMemory(), RevokedMeanwhile()
    suppressions.deliveries = deliveries
    suppressions.add(deliveries.only["recipient"])
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, suppressions=suppressions)
    assert (await claim("fonnte", [deliveries.only], None)).count == 0
    assert gateways.requests == []
    attempt: Any = deliveries.only["attempt"]
    assert (deliveries.only["status"], attempt["claim"]) == ("sending", "another")


async def test_what_must_be_told_goes_to_who_opted_out_too() -> None:
    deliveries, gateways, suppressions = DeliveriesInMemory(queued()), GatewaysInMemory(), SuppressionsInMemory()
    suppressions.add(deliveries.only["recipient"])
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, suppressions=suppressions)
    assert (await claim("fonnte", [deliveries.only], None)).count == 1


async def test_one_that_may_have_arrived_before_its_recipient_opted_out_is_unknown() -> None:
    delivery = end_of(claimed(queued(suppressible=True, unknown_wait_seconds=0.0), "fonnte"), AttemptState.UNKNOWN)
    deliveries, suppressions = DeliveriesInMemory(delivery), SuppressionsInMemory()
    suppressions.add(delivery["recipient"])
    picture = await lookout(sender("fonnte-1"), sender("wablas-1"))
    claim = claiming(picture, deliveries, GatewaysInMemory(), identity="wablas-1", suppressions=suppressions)
    await claim("wablas", [deliveries.only], None)
    assert (deliveries.only["status"], deliveries.only["code"]) == ("unknown", "UNKNOWN")


async def test_hours_that_end_before_the_slot_put_it_off_and_leave_the_slot() -> None:
    # The model starts at 10:00:00 in Jakarta.
    deliveries = DeliveriesInMemory(queued(hours=Hours(begins="07:00", ends="10:01")))
    gateways = GatewaysInMemory()
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, gap=10.0)
    made = await claim("fonnte", [deliveries.only], after(60))
    assert (made.count, made.handed_over, gateways.requests) == (0, True, [])
    assert (deliveries.only["status"], deliveries.only["attempts_made"]) == ("scheduled", 0)
    assert deliveries.only["wake_at"] == START + timedelta(hours=21)


def two_recipients() -> list[DeliveryDocument]:
    return [
        {**queued(suppressible=True), "_id": f"delivery-{n}", "recipient": f"628120000000{n}", "position": n}
        for n in (1, 2)
    ]
