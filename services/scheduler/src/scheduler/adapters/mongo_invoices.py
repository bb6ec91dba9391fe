"""Invoices by the day they are due, from the directory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any

from common.mongo.connection import Document, Mongo
from scheduler.domain.dunning import SETTLED

AT_ONCE = 500


class MongoInvoices:
    """Each query walks `by_due_date`; a page is all that is ever in memory."""

    def __init__(self, mongo: Mongo) -> None:
        self._invoices = mongo["invoices"]

    async def settled(self, due: date) -> Mapping[str, int]:
        """How many are in each status that leaves nothing to pay."""
        counts = {
            status.value: await self._invoices.count_documents({"due_date": due.isoformat(), "status": status.value})
            for status in SETTLED
        }
        return {status: count for status, count in counts.items() if count}

    async def unpaid(self, due: date) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """Page by page, in the order of their identities. Of what status nobody told, it is to be paid."""
        after: Document = {}
        while True:
            query = {"due_date": due.isoformat(), "status": {"$in": [None, "unpaid"]}, **after}
            page = await self._invoices.find(query).sort("_id", 1).limit(AT_ONCE).to_list(AT_ONCE)
            if page:
                yield page
            if len(page) < AT_ONCE:
                return
            after = {"_id": {"$gt": page[-1]["_id"]}}
