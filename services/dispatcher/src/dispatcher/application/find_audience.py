"""Find whom a large notification is for: in its pages, or in the directory, page by page."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from common.contracts.directory import Customer
from common.contracts.documents import INLINE_AUDIENCE, AudienceMember, NotificationDocument
from dispatcher.application.ports import Directory, Notifications
from dispatcher.domain.audience import Addressee, channels_of, customer, named, stranger


@dataclass(frozen=True)
class Page:
    """Some of an audience: the `number`th page from 0; `last` is the row it ends with, where rows are gone through.

    `each`: by how many channels everybody on a page is told.
    """

    number: int
    addressees: list[Addressee]
    last: str | None = None
    each: int = 1

    @property
    def first(self) -> int:
        """The place of its first one in the notification."""
        return self.number * INLINE_AUDIENCE * self.each


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
                yield await self._page(notification, 0, notification["audience"])
            return
        for number in range(notification["planned_pages"], notification["pages"]):
            members = await self.notifications.page(notification, number)
            yield await self._page(notification, number, members)

    async def _page(self, notification: NotificationDocument, number: int, members: list[AudienceMember]) -> Page:
        if "audience_query" not in notification:
            return Page(number, named(members))
        data, channels = notification["data"] or {}, channels_of(notification)
        identities = [member["to"] for member in members]
        rows = await self.directory.many(Customer.kind, identities)
        addressees = [
            addressee
            for one in identities
            for addressee in (customer(rows[one], data, channels) if one in rows else stranger(one, data, channels))
        ]
        return Page(number, addressees, each=len(channels))

    async def _rows(self, notification: NotificationDocument) -> AsyncGenerator[Page, None]:
        query = notification["audience_query"]
        number, after = notification["planned_pages"], query.get("after")
        data, channels = notification["data"] or {}, channels_of(notification)
        while not query.get("complete"):
            rows = await self.directory.customers(after, query.get("area"), INLINE_AUDIENCE)
            if not rows:
                return
            after = str(rows[-1]["_id"])
            addressees = [addressee for row in rows for addressee in customer(row, data, channels)]
            yield Page(number, addressees, after, each=len(channels))
            number += 1
