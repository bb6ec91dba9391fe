"""Deadlines of tickets in the database's words; `common.contracts.service_levels.deadline_of` says the same."""

from datetime import datetime, timedelta

from common.contracts.directory import OPEN_TICKETS
from common.contracts.service_levels import SERVICE_LEVELS
from common.mongo.connection import Document

OPEN: Document = {"$in": sorted(OPEN_TICKETS)}
_GRANTED: Document = {
    "$switch": {
        "branches": [
            {"case": {"$eq": ["$priority", priority.value]}, "then": level.within // timedelta(milliseconds=1)}
            for priority, level in SERVICE_LEVELS.items()
        ],
        "default": None,
    }
}
DEADLINE: Document = {"$ifNull": ["$deadline", {"$add": ["$opened_at", _GRANTED]}]}
"""The expression of a ticket's deadline; null when nobody said enough."""


def open_and_due_by(moment: datetime) -> Document:
    """The query of open tickets whose deadline is not after a moment."""
    granted: list[Document] = [
        {"status": OPEN, "deadline": None, "priority": priority.value, "opened_at": {"$lte": moment - level.within}}
        for priority, level in SERVICE_LEVELS.items()
    ]
    return {"$or": [{"status": OPEN, "deadline": {"$lte": moment}}, *granted]}
