"""Figures of the work on tickets, counted from the directory."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.contracts.directory import OPEN_TICKETS
from common.mongo.connection import Document, Mongo

MOST_OVERDUE = 5
_OPEN = {"$in": sorted(OPEN_TICKETS)}
_HOUR_MILLISECONDS = 3_600_000
_IN_TIME = {"$and": [{"$gt": ["$deadline", None]}, {"$lte": ["$resolved_at", "$deadline"]}]}
_WORK: Document = {
    "tickets_done": {"$sum": 1},
    "milliseconds": {"$avg": {"$subtract": ["$resolved_at", "$opened_at"]}},
    "with_deadline": {"$sum": {"$cond": [{"$gt": ["$deadline", None]}, 1, 0]}},
    "in_time": {"$sum": {"$cond": [_IN_TIME, 1, 0]}},
    "rating": {"$avg": "$rating"},
}


class Figures:
    def __init__(self, mongo: Mongo) -> None:
        self._tickets = mongo["tickets"]
        self._technicians = mongo["technicians"]

    async def of_tickets(self, begins: datetime, ends: datetime, *, now: datetime) -> dict[str, Any]:
        """Tickets opened and closed in a span, how many of those in time, who worked on them; what is open now and the
        worst of what is late (`overdue`, rows with `_id` and `title`).

        Names are those of the type `daily_summary`; a share of nothing is absent.
        """
        within = {"$gte": begins, "$lt": ends}
        work = await self._tickets.aggregate(
            [{"$match": {"resolved_at": within}}, {"$group": {"_id": "$technician_id", **_WORK}}]
        ).to_list(None)
        late = {"status": _OPEN, "deadline": {"$lt": now}}
        cursor = self._tickets.find(late, {"title": 1, "deadline": 1}).sort("deadline", 1).limit(MOST_OVERDUE)
        busy = {row["_id"] for row in work} | set(await self._tickets.distinct("technician_id", {"status": _OPEN}))
        return {
            "tickets_opened": await self._tickets.count_documents({"opened_at": within}),
            "tickets_closed": sum(row["tickets_done"] for row in work),
            "tickets_open": await self._tickets.count_documents({"status": _OPEN}),
            **_share(sum(row["in_time"] for row in work), sum(row["with_deadline"] for row in work)),
            "technicians_active": len(busy - {None}),
            "overdue": await cursor.to_list(None),
            "overdue_count": await self._tickets.count_documents(late),
        }

    async def of_technicians(self, begins: datetime, ends: datetime) -> dict[str, dict[str, Any]]:
        """Of every technician, by id, the tickets done in a span. Names are those of `technician_performance`.

        Ranked by tickets done, then by the share done in time, then by rating; whoever did none is unranked.
        """
        match = {"resolved_at": {"$gte": begins, "$lt": ends}, "technician_id": {"$gt": ""}}
        pipeline: list[Document] = [{"$match": match}, {"$group": {"_id": "$technician_id", **_WORK}}]
        done = {row["_id"]: _figures(row) async for row in self._tickets.aggregate(pipeline)}
        active = {"status": {"$in": [None, "active"]}}
        known = {row["_id"] async for row in self._technicians.find(active, {"_id": 1})} | set(done)
        ranked = sorted(done, key=lambda identity: (*_merit(done[identity]), identity))
        for rank, identity in enumerate(ranked, start=1):
            done[identity]["rank"] = rank
        return {
            identity: {"tickets_done": 0, **done.get(identity, {}), "technicians": len(known)}
            for identity in sorted(known)
        }


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {"tickets_done": row["tickets_done"], **_share(row["in_time"], row["with_deadline"])}
    if row["milliseconds"] is not None:
        figures["average_hours"] = round(max(row["milliseconds"], 0) / _HOUR_MILLISECONDS, 1)
    if row["rating"] is not None:
        figures["rating"] = round(row["rating"], 1)
    return figures


def _merit(figures: Mapping[str, Any]) -> tuple[float, ...]:
    return -figures["tickets_done"], -figures.get("sla_met_percent", 0), -figures.get("rating", 0)


def _share(part: int, whole: int) -> dict[str, float]:
    return {"sla_met_percent": round(100 * part / whole, 1)} if whole else {}
