"""The directory as people look through it."""

from typing import Any

from api_gateway.application.tell_directory import Selection
from common.kernel.phone import InvalidPhone, normalise_recipient
from common.mongo.connection import Document
from common.mongo.directory import Directory
from common.mongo.search_keys import begun_with

HAVE_PHONES = ("customers", "staff", "technicians")


class MongoDirectory(Directory):
    """Telling and getting are everybody's."""

    async def page(self, kind: str, selection: Selection) -> list[dict[str, Any]]:
        cursor = self._mongo[kind].find(selected(kind, selection)).sort("_id", 1).limit(selection.limit)
        return await cursor.to_list(selection.limit)


def selected(kind: str, selection: Selection) -> Document:
    query: Document = {name: value for name in ("area", "status") if (value := getattr(selection, name)) is not None}
    if selection.after is not None:
        query["_id"] = {"$gt": selection.after}
    if selection.q is None:
        return query
    number = _number(selection.q) if kind in HAVE_PHONES else None
    searched = begun_with(selection.q)
    return {**query, **searched} if number is None else {**query, "$or": [searched, {"phone": number}]}


def _number(q: str) -> str | None:
    """A whole number: by parts of one a masked number could be found out."""
    try:
        return normalise_recipient(q)
    except InvalidPhone:
        return None
