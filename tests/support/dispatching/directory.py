"""Customers in the directory, and broadcasts to them."""

from collections.abc import Iterable
from typing import Any, cast

from common.contracts.documents import AudienceQuery, NotificationDocument, TemplateDocument
from common.mongo.connection import Document
from tests.support.dispatching.notifications import notification, recipient
from tests.support.dispatching.world import World

TEMPLATE = "promotion:7"


def customer(number: int, **changed: Any) -> Document:
    """An active customer as the directory keeps one; a field given as `None` is unknown."""
    row = {
        "_id": f"C-{number:06d}",
        "name": f"Pelanggan {number}",
        "phone": recipient(number),
        "area": "Cibubur" if number % 2 else "Depok",
        "package_id": "P-1",
        "status": "active",
        **changed,
    }
    told = {name: [1_763_000_000_000, 1] for name in row if name != "_id"}
    return {name: value for name, value in row.items() if value is not None} | {"told": told}


async def store_customers(world: World, rows: Iterable[Document]) -> None:
    await world.mongo["customers"].insert_many(rows, ordered=False)


async def store_template(world: World, text: str, identity: str = TEMPLATE) -> None:
    name, _, version = identity.partition(":")
    await world.mongo["templates"].insert_one(
        cast(
            "Document",
            TemplateDocument(
                _id=identity, type=name, version=int(version), whatsapp=text, email_subject=None, email_text=None,
                origin="person", created_by="test", created_at=notification()["created_at"],
            ),
        )
    )  # fmt: skip


def broadcast(recipients: int = 0, query: AudienceQuery | None = None, **changed: Any) -> NotificationDocument:
    """A promotion to every active customer, unless the query says otherwise; `recipients` is what it was thought."""
    return notification(
        [],
        **{
            "type": "promotion",
            "message": None,
            "template": TEMPLATE,
            "recipients": recipients,
            "audience_query": query or AudienceQuery(rows="customers"),
            "suppressible": True,
            "data": {"campaign_title": "Promo", "offer": "Gratis", "valid_until": "2026-12-31"},
            **changed,
        },
    )
