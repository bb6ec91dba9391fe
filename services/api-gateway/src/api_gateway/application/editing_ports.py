"""What changing templates and routes needs from the world."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from common.catalogue.definitions import Route
from common.catalogue.texts import Texts
from common.contracts.documents import RouteDocument, TemplateDocument
from common.contracts.vocabulary import NotificationType


class TemplateVersions(Protocol):
    """Versions of templates, each immutable; looking for one that is not there raises `LookupError`."""

    async def current(self, name: str) -> TemplateDocument:
        """The version in use; at most 1 s old."""

    async def get(self, identity: str) -> TemplateDocument: ...

    async def publish(self, name: str, texts: Texts, *, by: str) -> TemplateDocument:
        """The next version; the current one when it has these texts already."""

    async def newest(self, *, after: str = "", limit: int = ...) -> list[TemplateDocument]:
        """The current version of every name after one, in order."""

    async def versions(self, name: str, *, limit: int = ...) -> Sequence[TemplateDocument]:
        """Newest first."""

    async def seed(self) -> list[str]:
        """Store the texts of this release where they are new; the identities of those that were."""


class ChangeableRoutes(Protocol):
    async def effective(self, notification_type: NotificationType) -> Route:
        """How a type goes; at most 1 s old."""

    async def changed(self, notification_type: NotificationType) -> RouteDocument | None:
        """What was changed of it, as it is now."""

    async def all_changed(self) -> dict[str, RouteDocument]: ...

    async def change(
        self,
        notification_type: NotificationType,
        changes: Mapping[str, Any],
        *,
        reset: Collection[str] = ...,
        revision: int,
        by: str,
        at: datetime,
    ) -> RouteDocument:
        """Raises `Outdated` when the route is not at this revision (0: never changed)."""
