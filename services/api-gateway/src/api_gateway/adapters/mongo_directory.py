"""The directory as people look through it."""

import re
from typing import Any

from api_gateway.application.tell_directory import Selection
from common.mongo.connection import Document
from common.mongo.directory import Directory

NAMES = {"tickets": "title", "invoices": "number"}
"""What a row is called by, where it has no `name`."""


class MongoDirectory(Directory):
    """Telling and getting are everybody's."""

    async def page(self, kind: str, selection: Selection) -> list[dict[str, Any]]:
        cursor = self._mongo[kind].find(_query(kind, selection)).sort("_id", 1).limit(selection.limit)
        return await cursor.to_list(selection.limit)


def _query(kind: str, selection: Selection) -> Document:
    query: Document = {name: value for name in ("area", "status") if (value := getattr(selection, name)) is not None}
    if selection.after is not None:
        query["_id"] = {"$gt": selection.after}
    if selection.q is not None:
        begins = f"^{re.escape(selection.q)}"
        query["$or"] = [{"_id": {"$regex": begins}}, {NAMES.get(kind, "name"): {"$regex": begins, "$options": "i"}}]
    return query
