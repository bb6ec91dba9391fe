"""Figures of the work on tickets, counted from the directory."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from common.config.bonus import NO_BONUS, BonusRule
from common.contracts.directory import OPEN_TICKETS, TicketStatus
from common.mongo.connection import Document, Mongo
from common.mongo.deadlines import DEADLINE, OPEN, open_and_due_by

MOST_OVERDUE = 5
_UNDONE = sorted({*OPEN_TICKETS, TicketStatus.CANCELLED})
"""A ticket that was taken up again, or called off, is not done, whenever it was resolved before."""
_HOUR_MILLISECONDS = 3_600_000
_SMALLEST = timedelta(milliseconds=1)
_IN_TIME = {"$and": [{"$gt": ["$deadline", None]}, {"$lte": ["$resolved_at", "$deadline"]}]}
_WORK: Document = {
    "tickets_done": {"$sum": 1},
    "milliseconds": {"$avg": {"$subtract": ["$resolved_at", "$opened_at"]}},
    "with_deadline": {"$sum": {"$cond": [{"$gt": ["$deadline", None]}, 1, 0]}},
    "in_time": {"$sum": {"$cond": [_IN_TIME, 1, 0]}},
    "rating": {"$avg": "$rating"},
}


class Figures:
    """Counted from the rows as they are, so that neither the order nor the number of the events that told them matters.

    A ticket is done in the span its `resolved_at` lies in, and in time when that is not after its deadline, told or
    granted by its priority (`common.contracts.service_levels`).
    """

    def __init__(self, mongo: Mongo, bonus: BonusRule = NO_BONUS) -> None:
        self._bonus = bonus
        self._tickets = mongo["tickets"]
        self._technicians = mongo["technicians"]

    async def of_tickets(self, begins: datetime, ends: datetime, *, now: datetime) -> dict[str, Any]:
        """Tickets opened and closed in a span, how many of those in time, who worked on them. In one that is not over,
        also what is open now and the worst of what is late (`overdue`, rows with `_id` and `title`): of another span
        nobody knows any more.

        Names are those of the type `daily_summary`; a share of nothing is absent.
        """
        within = {"$gte": begins, "$lt": ends}
        work = [row async for row in self._work(within)]
        busy = {row["_id"] for row in work}
        figures: dict[str, Any] = {
            "tickets_opened": await self._tickets.count_documents({"opened_at": within}),
            "tickets_closed": sum(row["tickets_done"] for row in work),
            **_share(sum(row["in_time"] for row in work), sum(row["with_deadline"] for row in work)),
        }
        if begins <= now < ends:
            figures |= await self._open(now)
            busy |= set(await self._tickets.distinct("technician_id", {"status": OPEN}))
        return {**figures, "technicians_active": len(busy - {None})}

    async def _open(self, now: datetime) -> dict[str, Any]:
        late = open_and_due_by(now - _SMALLEST)
        worst: list[Document] = [
            {"$match": late},
            {"$set": {"deadline": DEADLINE}},
            {"$sort": {"deadline": 1, "_id": 1}},
            {"$limit": MOST_OVERDUE},
            {"$project": {"title": 1}},
        ]
        return {
            "tickets_open": await self._tickets.count_documents({"status": OPEN}),
            "overdue": await self._tickets.aggregate(worst).to_list(None),
            "overdue_count": await self._tickets.count_documents(late),
        }

    async def of_technicians(self, begins: datetime, ends: datetime) -> dict[str, dict[str, Any]]:
        """Of every technician, by id, the tickets done in a span. Names are those of `technician_performance`.

        Ranked by tickets done, then by the share done in time, then by rating: who is equal in all three has the same
        rank, and the next one that many ranks further on. Whoever did none is unranked.
        """
        done = {row["_id"]: _figures(row) async for row in self._work({"$gte": begins, "$lt": ends}, named=True)}
        active = {"status": {"$in": [None, "active"]}}
        known = {row["_id"] async for row in self._technicians.find(active, {"_id": 1})} | set(done)
        merits = sorted(_merit(figures) for figures in done.values())
        for figures in done.values():
            figures["rank"] = merits.index(_merit(figures)) + 1
            if bonus := self._bonus.of(figures["rank"], figures.get("sla_met_percent")):
                figures["bonus"] = bonus
        return {
            identity: {"tickets_done": 0, **done.get(identity, {}), "technicians": len(known)}
            for identity in sorted(known)
        }

    def _work(self, within: Document, *, named: bool = False) -> AsyncIterator[Document]:
        """What was done in a span by each technician; `named`: by nobody else."""
        match: Document = {"resolved_at": within, "status": {"$nin": _UNDONE}}
        if named:
            match["technician_id"] = {"$gt": ""}
        pipeline: list[Document] = [
            {"$match": match},
            {"$set": {"deadline": DEADLINE}},
            {"$group": {"_id": "$technician_id", **_WORK}},
        ]
        return self._tickets.aggregate(pipeline)


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {"tickets_done": row["tickets_done"], **_share(row["in_time"], row["with_deadline"])}
    if row["milliseconds"] is not None:
        figures["average_hours"] = round(max(row["milliseconds"], 0) / _HOUR_MILLISECONDS, 1)
    if row["rating"] is not None:
        figures["rating"] = round(row["rating"], 1)
    return figures


def _merit(figures: Mapping[str, Any]) -> tuple[float, ...]:
    """The least is the best."""
    return -figures["tickets_done"], -figures.get("sla_met_percent", 0.0), -figures.get("rating", 0.0)


def _share(part: int, whole: int) -> dict[str, float]:
    return {"sla_met_percent": round(100 * part / whole, 1)} if whole else {}
