"""What a claim takes, and what becomes of it when nobody can be told."""

from collections.abc import Sequence
from datetime import timedelta

from common.contracts.documents import DeliveryDocument
from dispatcher.domain.lanes import lanes_served
from dispatcher.domain.rounds import CANCELLED
from tests.support.dispatching.memory import DeliveriesInMemory, GatewaysInMemory, claiming, lookout, sender
from tests.support.dispatching.model import START, after, queued


def numbered(number: int, *, validity: float = 86_400.0) -> DeliveryDocument:
    return {**queued(validity=validity), "_id": f"delivery-{number}", "position": number}


class CalledOffWhileClaimed(DeliveriesInMemory):
    """Somebody cancels between the claim and what follows it."""

    async def read(self, ids: Sequence[str]) -> list[DeliveryDocument]:
        return [{**delivery, "called_off": CANCELLED} for delivery in await super().read(ids)]


async def test_what_was_cancelled_while_it_was_claimed_is_not_put_back() -> None:
    deliveries = CalledOffWhileClaimed(queued())
    claim = claiming(await lookout(sender("fonnte-1")), deliveries, GatewaysInMemory(reachable=False))
    claimed = await claim("fonnte", list(deliveries.all.values()), None)
    assert (claimed.count, claimed.handed_over) == (1, False)
    assert deliveries.only["status"] == "cancelled"
    assert not {"lane", "wake_at"} & deliveries.only.keys()


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
