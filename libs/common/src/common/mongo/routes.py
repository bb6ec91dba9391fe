"""What operators changed of the types' routes, in the collection `routes`.

A document has only what differs from the type's default, and a `revision` that grows with every change: who changes a
route writes under the revision it read, so that nobody overwrites what he has not seen.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, cast

from common.catalogue.definitions import Route
from common.catalogue.routes import merged
from common.contracts.documents import RouteDocument
from common.contracts.vocabulary import NotificationType
from common.kernel.failures import Outdated
from common.mongo.connection import Document, DuplicateKeyError, Mongo
from common.mongo.remembered import Remembered

EFFECTIVE_SECONDS = 1.0
"""How old the answer to how a type goes may be."""


class Routes:
    def __init__(self, mongo: Mongo) -> None:
        self._routes = mongo["routes"]
        self._effective = Remembered(self._merged, seconds=EFFECTIVE_SECONDS)

    async def effective(self, notification_type: NotificationType) -> Route:
        """How a type goes: its default with what an operator changed; at most 1 s old."""
        return await self._effective(notification_type.value)

    async def changed(self, notification_type: NotificationType) -> RouteDocument | None:
        """What was changed of it, as it is now; `None` when nothing ever was."""
        found = await self._routes.find_one({"_id": notification_type.value})
        return cast("RouteDocument | None", found)

    async def all_changed(self) -> dict[str, RouteDocument]:
        """What was changed of any type."""
        found = await self._routes.find({}).to_list(None)
        return {document["_id"]: cast("RouteDocument", document) for document in found}

    async def change(
        self,
        notification_type: NotificationType,
        changes: Mapping[str, Any],
        *,
        reset: Collection[str] = (),
        revision: int,
        by: str,
        at: datetime,
    ) -> RouteDocument:
        """Write `changes` (fields of `Route`) and put the fields of `reset` back to their default.

        `revision` is that of the document it was decided on, 0 for none. Raises `Outdated`.
        """
        identity = notification_type.value
        written: Document = {**changes, "changed_by": by, "changed_at": at, "revision": revision + 1}
        try:
            if revision == 0:
                await self._routes.insert_one({"_id": identity, **written})
            else:
                update: Document = {"$set": written}
                if reset:
                    update["$unset"] = dict.fromkeys(reset, "")
                result = await self._routes.update_one({"_id": identity, "revision": revision}, update)
                if result.matched_count == 0:
                    raise Outdated
        except DuplicateKeyError as error:
            raise Outdated from error
        self._effective.forget(identity)
        changed = await self.changed(notification_type)
        if changed is None:
            raise Outdated
        return changed

    async def _merged(self, identity: str) -> Route:
        notification_type = NotificationType(identity)
        return merged(notification_type, await self.changed(notification_type) or {})
