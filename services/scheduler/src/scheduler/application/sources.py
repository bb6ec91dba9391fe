"""What jobs read: the directory, its figures, and how types go."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from common.catalogue.definitions import Route
from common.contracts.documents import SuppressionDocument, TemplateDocument
from common.contracts.vocabulary import NotificationType

Row = Mapping[str, Any]


class Invoices(Protocol):
    async def settled(self, due: date) -> Mapping[str, int]:
        """How many that are due that day are in each status that leaves nothing to pay."""
        ...

    def unpaid(self, due: date) -> AsyncIterator[Sequence[Row]]:
        """The others, page by page."""
        ...


class Tickets(Protocol):
    def due_by(self, moment: datetime) -> AsyncIterator[Sequence[Row]]:
        """Open ones whose deadline is not after a moment, page by page."""
        ...


class Directory(Protocol):
    async def many(self, kind: str, identities: Iterable[str]) -> Mapping[str, Row]: ...

    async def technicians(self) -> Sequence[Row]: ...


class Suppressions(Protocol):
    async def among(self, recipients: Collection[str]) -> Mapping[str, SuppressionDocument]: ...


class Routes(Protocol):
    async def effective(self, notification_type: NotificationType) -> Route: ...


class Templates(Protocol):
    async def current(self, name: str) -> TemplateDocument:
        """The version a text is made with now."""
        ...


class Audiences(Protocol):
    async def staff(self, type_: NotificationType) -> Sequence[Row]:
        """Those whose roles get this type."""
        ...

    async def any_group(self, type_: NotificationType) -> bool:
        """Whether there is a group that gets this type."""
        ...


class Figures(Protocol):
    async def of_tickets(self, begins: datetime, ends: datetime, *, now: datetime) -> Mapping[str, Any]: ...

    async def of_technicians(self, begins: datetime, ends: datetime) -> Mapping[str, Mapping[str, Any]]: ...
