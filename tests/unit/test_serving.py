"""What a sender does with what the gate says."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import AttemptState, Priority
from common.mongo.gate import Limits, Wait
from dispatcher.application.lookout import Lookout
from dispatcher.application.serve_sender import ServeSender
from dispatcher.metrics import Metrics
from tests.support.dispatching.memory import (
    DeliveriesInMemory,
    GateInMemory,
    GatewaysInMemory,
    SendersInMemory,
    SuppressionsInMemory,
    claiming,
    lookout,
    sender,
)
from tests.support.dispatching.model import FONNTE, START, claimed, end_of, queued

FULL = Wait(START + timedelta(seconds=60), 60.0, "minute")
TOO_SOON = Wait(START + timedelta(seconds=10), 10.0)


def serving(
    identity: str,
    picture: Lookout,
    deliveries: DeliveriesInMemory,
    gate: GateInMemory,
    gateways: GatewaysInMemory,
    *,
    gap: float = 0.0,
    suppressions: SuppressionsInMemory | None = None,
) -> ServeSender:
    return ServeSender(
        identity=identity,
        limits=Limits(gap, per_minute=5),
        ageing=timedelta(0),
        deliveries=deliveries,
        senders=SendersInMemory(picture.senders()),
        gate=gate,
        gateways=gateways,
        claim=claiming(picture, deliveries, gateways, identity=identity, gap=gap, suppressions=suppressions),
        lookout=picture,
        metrics=Metrics(CollectorRegistry()),
        stopping=lambda: False,
    )


async def once(*senders: ServeSender) -> None:
    for one in senders:
        one.bell.ring()
        await one.step()


async def test_a_direct_send_is_left_to_a_sender_that_has_room() -> None:
    picture = await lookout(sender("fonnte-1"), sender("fonnte-2"))
    deliveries, gateways = DeliveriesInMemory(queued(direct=True)), GatewaysInMemory()
    gate = GateInMemory(FULL, {"fonnte-2": 1})
    first, second = (serving(name, picture, deliveries, gate, gateways) for name in ("fonnte-1", "fonnte-2"))
    await once(first, first)
    assert deliveries.only["status"] == "queued"
    await once(second)
    assert [request.sender for request in gateways.requests] == ["fonnte-2"]


async def test_a_direct_send_is_refused_when_every_sender_that_can_be_used_is_full() -> None:
    out = sender("fonnte-3", paused=True)
    picture = await lookout(sender("fonnte-1"), sender("fonnte-2"), out, sender("wablas-1"))
    deliveries, gateways = DeliveriesInMemory(queued(direct=True)), GatewaysInMemory()
    gate = GateInMemory(FULL)
    await once(*(serving(name, picture, deliveries, gate, gateways) for name in ("fonnte-1", "fonnte-2")))
    assert (deliveries.only["status"], deliveries.only["code"]) == ("cancelled", "MINUTE_LIMIT_EXCEEDED")


async def test_a_direct_send_that_may_have_arrived_is_not_called_cancelled() -> None:
    resent = end_of(claimed(queued(direct=True, unknown_wait_seconds=0.0), FONNTE), AttemptState.UNKNOWN)
    deliveries = DeliveriesInMemory(resent)
    picture = await lookout(sender("wablas-1"))
    await once(serving("wablas-1", picture, deliveries, GateInMemory(FULL), GatewaysInMemory()))
    assert (deliveries.only["status"], deliveries.only["code"]) == ("unknown", "UNKNOWN")


@pytest.mark.parametrize(
    ("asked_for", "skips"),
    [
        ({"direct": True}, False),
        ({"direct": True, "priority": Priority.HIGH}, False),
        ({"direct": True, "priority": Priority.CRITICAL}, True),
        ({"priority": Priority.CRITICAL}, True),
        ({"priority": Priority.HIGH}, False),
    ],
)
async def test_only_what_is_critical_goes_before_the_gap_is_over(asked_for: dict[str, Any], *, skips: bool) -> None:
    deliveries, gateways = DeliveriesInMemory(queued(**asked_for)), GatewaysInMemory()
    gate = GateInMemory(TOO_SOON, {"fonnte-1": 1})
    await once(serving("fonnte-1", await lookout(sender("fonnte-1")), deliveries, gate, gateways, gap=10.0))
    assert gate.asked == [("fonnte-1", 1, skips)]
    assert [request.gap for request in gateways.requests] == [0.0 if skips else 10.0]


async def test_a_direct_send_that_waits_for_the_gap_keeps_nothing_critical_waiting() -> None:
    direct: DeliveryDocument = {**queued(direct=True), "_id": "direct"}
    critical: DeliveryDocument = {**queued(priority=Priority.CRITICAL), "_id": "critical", "position": 1}
    deliveries, gateways = DeliveriesInMemory(direct, critical), GatewaysInMemory()
    gate = GateInMemory(TOO_SOON, {"fonnte-1": 1})
    await once(serving("fonnte-1", await lookout(sender("fonnte-1")), deliveries, gate, gateways, gap=10.0))
    assert [attempt.delivery_id for attempt in gateways.requests[0].attempts] == ["critical"]
    assert gate.asked == [("fonnte-1", 1, True)]


async def test_of_a_grant_what_the_claim_did_not_use_is_given_back() -> None:
    waiting: list[DeliveryDocument] = [
        {**queued(), "_id": f"dlv_{number}", "recipient": f"62812000000{number:02d}", "suppressible": True}
        for number in range(3)
    ]
    suppressions = SuppressionsInMemory()
    suppressions.add(waiting[1]["recipient"])
    gate, gateways = GateInMemory(FULL, {"fonnte-1": 5}), GatewaysInMemory()
    deliveries, picture = DeliveriesInMemory(*waiting), await lookout(sender("fonnte-1"))
    await once(serving("fonnte-1", picture, deliveries, gate, gateways, suppressions=suppressions))
    assert [attempt.delivery_id for attempt in gateways.requests[0].attempts] == ["dlv_0", "dlv_2"]
    assert gate.room == {"fonnte-1": 3}
