"""A broadcast to 100,000 customers: planned fast, in flat memory, and adding up at every look."""

import asyncio
import time

from api_gateway.adapters.mongo_ledger import MongoLedger
from common.catalogue.texts import builtin_texts
from common.contracts.documents import AudienceQuery, NotificationDocument
from common.contracts.vocabulary import NotificationType, SuppressionReason
from tests.support.dispatching.directory import broadcast, customer, store_customers, store_template
from tests.support.dispatching.notifications import recipient
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World

CUSTOMERS = 100_000
WARMING = 500
OPTED_OUT = range(0, CUSTOMERS, 200)
PER_SECOND = 5_000
GROWTH = 60 * 1024 * 1024
LOOK_SECONDS = 1.0


async def test_100000_customers_are_planned_at_5000_a_second_in_flat_memory(dispatching: World) -> None:
    await prepare(dispatching)
    process = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await plan(dispatching, broadcast(WARMING, AudienceQuery(rows="customers", area="Bogor"), data=WORDS), WARMING)
    at_rest = process.resident_bytes
    made = broadcast(CUSTOMERS, data=WORDS)
    began = time.monotonic()
    looks, largest = await plan(dispatching, made, CUSTOMERS)
    speed = CUSTOMERS / (time.monotonic() - began)
    print(f"{speed:,.0f} deliveries a second, {(largest - at_rest) / 1024**2:.0f} MB more, {looks} looks")  # noqa: T201 - the figure is the point
    assert await dispatching.count(notification_id=made["_id"], status="suppressed") == len(OPTED_OUT)
    assert looks > 5
    assert largest - at_rest < GROWTH
    assert speed > PER_SECOND


WORDS = {
    "campaign_title": "Promo akhir tahun",
    "offer": "Gratis biaya pemasangan untuk paket 50 Mbps",
    "discount": "50 persen",
    "valid_until": "2026-12-31",
    "terms": ["Berlaku untuk pelanggan aktif", "Selama persediaan ada"],
    "cta_link": "https://promo.example/akhir-tahun",
}


async def prepare(world: World) -> None:
    texts = builtin_texts(NotificationType.PROMOTION)
    assert texts is not None
    await store_template(world, texts.whatsapp)
    for first in range(0, CUSTOMERS, 10_000):
        numbers = range(first, first + 10_000)
        await store_customers(world, (customer(n, **({"area": "Bogor"} if n < WARMING else {})) for n in numbers))
    await world.mongo["suppressions"].insert_many(
        [{"_id": recipient(n), "reason": SuppressionReason.OPT_OUT, "note": None, "created_by": "recipient",
          "created_at": broadcast()["created_at"]} for n in OPTED_OUT]
    )  # fmt: skip


async def plan(world: World, made: NotificationDocument, recipients: int) -> tuple[int, int]:
    """Until it is planned: how often it was looked at, and the most memory that was seen."""

    async def is_planned() -> bool:
        stored = await world.mongo["notifications"].find_one({"_id": made["_id"]}, {"status": 1, "recipients": 1})
        return stored is not None and stored["status"] == "planned" and stored["recipients"] >= recipients

    await world.accept(made)
    planning = asyncio.create_task(until(is_planned, seconds=120, every=0.05))
    looks = largest = 0
    while not planning.done():
        counted = await MongoLedger(world.mongo).conservation()
        assert counted.difference == 0, counted
        assert counted.not_yet_planned >= 0
        largest = max(largest, world.processes[0].resident_bytes)
        looks += 1
        await asyncio.wait([planning], timeout=LOOK_SECONDS)
    await planning
    return looks, largest
