"""What composing a notification needs to know of the world: rows, groups, templates, routes."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from common.catalogue.definitions import GroupPurpose, Route
from common.contracts.documents import TemplateDocument
from common.contracts.reachable import Reachable
from common.contracts.vocabulary import NotificationType, Role

Stored = Mapping[str, Any]
"""A row as the directory keeps it: `_id` and the fields of `common.contracts.directory` that were told."""


class Directory(Protocol):
    async def many(self, kind: str, identities: Sequence[str]) -> Mapping[str, Stored]:
        """Those of these rows that are known."""

    async def staff(self, roles: Sequence[Role]) -> Sequence[Stored]:
        """Active staff who have one of these roles."""

    async def technicians(self) -> Sequence[Stored]:
        """Active technicians."""

    async def count_customers(self, area: str | None) -> int:
        """How many customers are active, in an area or anywhere."""

    async def customers(self, after: str | None, area: str | None, limit: int) -> Sequence[Stored]:
        """Active customers in the order of their ids."""


class Administrators(Protocol):
    async def reachable(self, *, suppressible: bool) -> Reachable:
        """`suppressible`: whether what they are to be told is kept from those who opted out."""


class Groups(Protocol):
    async def of(self, purposes: Sequence[GroupPurpose]) -> Sequence[Stored]:
        """Active WhatsApp groups for one of these: `name` and `group_ids` by provider."""


class Templates(Protocol):
    async def current(self, name: str) -> TemplateDocument:
        """The version in use; raises `LookupError` when there is none of this name."""


class Routes(Protocol):
    async def effective(self, notification_type: NotificationType) -> Route:
        """How a type goes, as it was last changed."""
