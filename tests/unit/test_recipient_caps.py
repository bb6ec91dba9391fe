"""A recipient's cap counts deliveries, not attempts."""

from datetime import timedelta

from common.contracts.vocabulary import AttemptState
from common.mongo.gate import Granted, Limits, Wait
from tests.support.dispatching.memory import (
    DeliveriesInMemory,
    GateInMemory,
    GatewaysInMemory,
    claiming,
    lookout,
    sender,
)
from tests.support.dispatching.model import START, WABLAS, end_of, queued

ONE_A_DAY = Limits(per_day=1)


def cap(room: int) -> GateInMemory:
    recipient = queued()["recipient"]
    return GateInMemory(Wait(START + timedelta(days=1), 86_400.0, "day"), {recipient: room})


async def test_failing_over_is_not_stopped_by_the_deliverys_own_cap() -> None:
    deliveries = DeliveriesInMemory(queued(unknown_wait_seconds=0.0))
    picture, gateways, gate = await lookout(sender("fonnte-1"), sender("wablas-1")), GatewaysInMemory(), cap(1)
    first = claiming(picture, deliveries, gateways, caps=ONE_A_DAY, cap_gate=gate)
    await first("fonnte", [deliveries.only], None)
    deliveries.all[deliveries.only["_id"]] = end_of(deliveries.only, AttemptState.FAILED)
    assert deliveries.only["lane"] == WABLAS
    second = claiming(picture, deliveries, gateways, identity="wablas-1", caps=ONE_A_DAY, cap_gate=gate)
    await second("wablas", [deliveries.only], None)
    assert [request.provider for request in gateways.requests] == ["fonnte", "wablas"]
    assert len(gate.asked) == 1


async def test_beyond_the_cap_a_delivery_waits_as_if_nobody_had_claimed_it() -> None:
    deliveries, gateways = DeliveriesInMemory(queued()), GatewaysInMemory()
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, caps=ONE_A_DAY, cap_gate=cap(0))
    claimed = await claim("fonnte", [deliveries.only], None)
    assert (claimed.count, gateways.requests) == (0, [])
    assert (deliveries.only["status"], deliveries.only["attempts_made"]) == ("queued", 0)
    assert "lane" not in deliveries.only


class CalledOffMeanwhile(GateInMemory):
    """Somebody calls the deliveries off while their caps are asked for."""

    deliveries: DeliveriesInMemory

    async def grant(self, key: str, limits: Limits, *, want: int = 1, skip_gap: bool = False) -> Granted | Wait:
        self.deliveries.call_off()
        return await super().grant(key, limits, want=want, skip_gap=skip_gap)


async def test_what_is_called_off_while_its_cap_is_asked_for_ends_at_once() -> None:
    deliveries, gateways = DeliveriesInMemory(queued()), GatewaysInMemory()
    gate = CalledOffMeanwhile(cap(0).wait)
    gate.deliveries = deliveries
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, caps=ONE_A_DAY, cap_gate=gate)
    assert (await claim("fonnte", [deliveries.only], None)).count == 0
    assert gateways.requests == []
    assert (deliveries.only["status"], deliveries.only["attempts_made"]) == ("cancelled", 0)
    assert (deliveries.only["attempt"], "wake_at" in deliveries.only) == (None, False)


async def test_what_rabbitmq_did_not_take_is_not_counted() -> None:
    deliveries, gateways, gate = DeliveriesInMemory(queued()), GatewaysInMemory(reachable=False), cap(1)
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, gateways, caps=ONE_A_DAY, cap_gate=gate)
    await claim("fonnte", [deliveries.only], None)
    assert (deliveries.only["status"], deliveries.only["attempts_made"]) == ("queued", 0)
    assert gate.given_back == [deliveries.only["recipient"]]
    gateways.reachable = True
    await claim("fonnte", [deliveries.only], None)
    assert len(gateways.requests) == 1
