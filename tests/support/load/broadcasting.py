"""A broadcast to 100,000 customers, of whom some have opted out."""

from common.catalogue.texts import builtin_texts
from common.contracts.documents import AudienceQuery, NotificationDocument
from common.contracts.vocabulary import NotificationType, SuppressionReason
from tests.support.dispatching.directory import broadcast, customer, store_customers, store_template
from tests.support.dispatching.notifications import recipient
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World

CUSTOMERS = 100_000
OPTED_OUT = range(0, CUSTOMERS, 200)
"""Their numbers."""
WARMING = 500
WORDS = {
    "campaign_title": "Promo akhir tahun",
    "offer": "Gratis biaya pemasangan untuk paket 50 Mbps",
    "discount": "50 persen",
    "valid_until": "2026-12-31",
    "terms": ["Berlaku untuk pelanggan aktif", "Selama persediaan ada"],
    "cta_link": "https://promo.example/akhir-tahun",
}


async def prepare(world: World, *, customers: int = CUSTOMERS) -> None:
    """The directory, the text and who has opted out."""
    texts = builtin_texts(NotificationType.PROMOTION)
    assert texts is not None
    await store_template(world, texts.whatsapp)
    for first in range(0, customers, 10_000):
        numbers = range(first, first + 10_000)
        await store_customers(world, (customer(n, **({"area": "Bogor"} if n < WARMING else {})) for n in numbers))
    await world.mongo["suppressions"].insert_many(
        [{"_id": recipient(n), "reason": SuppressionReason.OPT_OUT, "note": None, "created_by": "recipient",
          "created_at": broadcast()["created_at"]} for n in OPTED_OUT]
    )  # fmt: skip


def to_everybody(customers: int = CUSTOMERS) -> NotificationDocument:
    return broadcast(customers, data=WORDS)


def to_few() -> NotificationDocument:
    """One that leaves everything warm."""
    return broadcast(WARMING, AudienceQuery(rows="customers", area="Bogor"), data=WORDS)


async def planned(world: World, made: NotificationDocument) -> None:
    """Wait until all of it is planned."""

    async def is_planned() -> bool:
        stored = await world.mongo["notifications"].find_one({"_id": made["_id"]}, {"status": 1})
        return stored is not None and stored["status"] == "planned"

    await until(is_planned, seconds=240, every=0.05)
