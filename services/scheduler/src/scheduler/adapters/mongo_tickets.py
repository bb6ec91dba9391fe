"""Open tickets by their deadlines, from the directory."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from common.mongo.connection import Mongo
from common.mongo.deadlines import open_and_due_by

AT_ONCE = 500


class MongoTickets:
    def __init__(self, mongo: Mongo) -> None:
        self._tickets = mongo["tickets"]

    async def due_by(self, moment: datetime) -> AsyncIterator[list[Mapping[str, Any]]]:
        """Open ones whose deadline is not after a moment, page by page."""
        page: list[Mapping[str, Any]] = []
        async for ticket in self._tickets.find(open_and_due_by(moment)).batch_size(AT_ONCE):
            page.append(ticket)
            if len(page) == AT_ONCE:
                yield page
                page = []
        if page:
            yield page
