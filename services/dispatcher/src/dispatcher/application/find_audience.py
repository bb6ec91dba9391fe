"""Find whom a large notification is for: in its pages, or in the directory, page by page."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from common.contracts.directory import Customer
from common.contracts.documents import INLINE_AUDIENCE, AudienceMember, NotificationDocument
from dispatcher.application.ports import Directory, Notifications
from dispatcher.domain.audience import Addressee, customer, named, stranger


@dataclass(frozen=True)
class Page:
    """Some of an audience: the `number`th page from 0; `last` is the row it ends with, where rows are gone through."""

    number: int
    addressees: list[Addressee]
    last: str | None = None

    @property
    def first(self) -> int:
        """The place of its first one in the notification."""
        return self.number * INLINE_AUDIENCE


def is_large(notification: NotificationDocument) -> bool:
    """Whether it is planned page by page, and not with others."""
    return notification["pages"] > 0 or "audience_query" in notification


@dataclass(frozen=True)
class FindAudience:
    notifications: Notifications
    directory: Directory

    def __call__(self, notification: NotificationDocument) -> AsyncGenerator[Page, None]:
        """The pages that are not noted as planned."""
        query = notification.get("audience_query")
        if query is not None and not query.get("listed"):
            return self._rows(notification)
        return self._pages(notification)

    async def _pages(self, notification: NotificationDocument) -> AsyncGenerator[Page, None]:
        if not notification["pages"]:
            if not notification["planned_pages"]:
                yield Page(0, await self._addressees(notification, notification["audience"]))
            return
        for number in range(notification["planned_pages"], notification["pages"]):
            members = await self.notifications.page(notification, number)
            yield Page(number, await self._addressees(notification, members))

    async def _addressees(self, notification: NotificationDocument, members: list[AudienceMember]) -> list[Addressee]:
        if "audience_query" not in notification:
            return named(members)
        data = notification["data"] or {}
        identities = [member["to"] for member in members]
        rows = await self.directory.many(Customer.kind, identities)
        return [
            customer(rows[identity], data) if identity in rows else stranger(identity, data) for identity in identities
        ]

    async def _rows(self, notification: NotificationDocument) -> AsyncGenerator[Page, None]:
        query = notification["audience_query"]
        number, after = notification["planned_pages"], query.get("after")
        data = notification["data"] or {}
        while not query.get("complete"):
            rows = await self.directory.customers(after, query.get("area"), INLINE_AUDIENCE)
            if not rows:
                return
            after = str(rows[-1]["_id"])
            yield Page(number, [customer(row, data) for row in rows], after)
            number += 1
