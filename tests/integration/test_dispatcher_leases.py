"""A large notification is planned by one planner at a time, also when one stalls or dies."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry

from api_gateway.adapters.mongo_ledger import MongoLedger
from common.config.whatsapp import PROVIDERS
from common.contracts.documents import DeliveryDocument, NotificationDocument
from common.kernel.clock import SystemClock
from common.mongo.directory import Directory
from common.mongo.suppressions import Suppressions
from common.mongo.templates import Templates
from dispatcher.adapters.mongo_deliveries import MongoDeliveries
from dispatcher.adapters.mongo_notifications import MongoNotifications
from dispatcher.adapters.mongo_repeats import MongoRepeats
from dispatcher.adapters.mongo_senders import MongoSenders
from dispatcher.application.compose_deliveries import ComposeDeliveries
from dispatcher.application.find_audience import FindAudience
from dispatcher.application.lookout import Lookout
from dispatcher.application.plan_broadcasts import PlanBroadcasts
from dispatcher.application.store_deliveries import StoreDeliveries
from dispatcher.metrics import Metrics
from tests.support.dispatching.directory import broadcast, customer, store_customers, store_template
from tests.support.dispatching.notifications import lapse
from tests.support.dispatching.world import World

ZONE = ZoneInfo("Asia/Jakarta")
CUSTOMERS = 2_500


class Stalling(MongoDeliveries):
    """Stops after each page it has stored until it is let go on."""

    def __init__(self, world: World) -> None:
        super().__init__(world.mongo["deliveries"], lambda _: None)
        self.stored = asyncio.Event()
        self.go_on = asyncio.Event()

    async def add(self, deliveries: Sequence[DeliveryDocument]) -> Collection[str]:
        there = await super().add(deliveries)
        self.stored.set()
        await self.go_on.wait()
        return there


async def planner(world: World, deliveries: MongoDeliveries | None = None) -> PlanBroadcasts:
    clock = SystemClock()
    lookout = Lookout(MongoSenders(world.mongo["senders"]), clock, PROVIDERS)
    await lookout.renew()
    notifications, metrics = MongoNotifications(world.mongo, clock), Metrics(CollectorRegistry())
    deliveries = deliveries or MongoDeliveries(world.mongo["deliveries"], lambda _: None)
    compose = ComposeDeliveries(
        Templates(world.mongo), Suppressions(world.mongo, ZONE), MongoRepeats(world.mongo), lookout, ZONE
    )
    return PlanBroadcasts(
        notifications,
        deliveries,
        StoreDeliveries(notifications, deliveries, compose, lookout, metrics),
        FindAudience(notifications, Directory(world.mongo, zone=ZONE)),
        compose,
        lookout,
        metrics,
        lambda: False,
        asyncio.Lock(),
    )


@pytest.fixture
async def made(dispatching: World) -> NotificationDocument:
    """A broadcast that is to be planned now."""
    await store_template(dispatching, "Halo {{ customer.name }}")
    await store_customers(dispatching, [customer(number) for number in range(1, CUSTOMERS + 1)])
    accepted = broadcast(CUSTOMERS, wake_at=datetime.now(UTC) - timedelta(seconds=1))
    await dispatching.accept(accepted, announce=False)
    return accepted


@dataclass
class Stalled:
    """A planner that has stored its first page and noted nothing."""

    deliveries: Stalling
    planning: asyncio.Task[bool] = field(repr=False)


@pytest.fixture
async def stalled(dispatching: World, made: NotificationDocument) -> AsyncIterator[Stalled]:  # noqa: ARG001 - what is planned
    deliveries = Stalling(dispatching)
    planning = asyncio.create_task((await planner(dispatching, deliveries))())
    await asyncio.wait_for(deliveries.stored.wait(), 20)
    yield Stalled(deliveries, planning)
    planning.cancel()
    await asyncio.gather(planning, return_exceptions=True)


async def change(world: World, made: NotificationDocument, **fields: object) -> None:
    await world.mongo["notifications"].update_one({"_id": made["_id"]}, {"$set": fields})


async def over(world: World, made: NotificationDocument, status: str, recipients: int) -> None:
    stored = await world.mongo["notifications"].find_one({"_id": made["_id"]})
    assert stored is not None
    assert (stored["status"], stored["recipients"]) == (status, recipients)
    assert "wake_at" not in stored
    assert "planning" not in stored
    assert (await MongoLedger(world.mongo).conservation()).difference == 0


async def test_nobody_else_plans_it_meanwhile(dispatching: World, made: NotificationDocument, stalled: Stalled) -> None:
    assert await (await planner(dispatching))() is False
    assert await dispatching.count() == 1_000
    await store_customers(dispatching, [customer(CUSTOMERS + 1)])
    stalled.deliveries.go_on.set()
    assert await stalled.planning
    assert await dispatching.count() == CUSTOMERS + 1
    await over(dispatching, made, "planned", CUSTOMERS + 1)


async def test_who_stalled_too_long_stops_and_what_was_counted_stays(
    dispatching: World, made: NotificationDocument, stalled: Stalled
) -> None:
    await lapse(dispatching.mongo, made)
    assert await (await planner(dispatching))()
    await over(dispatching, made, "planned", CUSTOMERS)
    await store_customers(dispatching, [customer(CUSTOMERS + 1)])
    stalled.deliveries.go_on.set()
    await stalled.planning
    assert await dispatching.count() == CUSTOMERS
    await over(dispatching, made, "planned", CUSTOMERS)


async def test_cancelled_it_is_not_closed_while_a_planner_may_still_add_to_it(
    dispatching: World, made: NotificationDocument, stalled: Stalled
) -> None:
    await change(dispatching, made, status="cancelled", wake_at=datetime.now(UTC) - timedelta(seconds=1))
    other = await planner(dispatching)
    assert await other() is False
    stalled.planning.cancel()  # it dies with a page that nobody has taken back
    await asyncio.gather(stalled.planning, return_exceptions=True)
    assert await dispatching.count(status="queued") == 1_000
    await lapse(dispatching.mongo, made)
    assert await other()
    assert await dispatching.count(status="cancelled") == CUSTOMERS
    await over(dispatching, made, "cancelled", CUSTOMERS)


async def test_cancelled_and_closed_by_another_one_that_stalled_takes_its_page_back(
    dispatching: World, made: NotificationDocument, stalled: Stalled
) -> None:
    await change(dispatching, made, status="cancelled")
    await lapse(dispatching.mongo, made)
    assert await (await planner(dispatching))()
    await over(dispatching, made, "cancelled", CUSTOMERS)
    stalled.deliveries.go_on.set()
    await stalled.planning
    assert await dispatching.count(status="cancelled") == CUSTOMERS
