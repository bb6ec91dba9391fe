"""The gate: pacing and sliding-window limits of one sender (or recipient), granted by one atomic update.

Two dispatchers asking at once cannot both get the same slot, and the server's clock decides, so neither a second
replica nor a restart nor a wrong local clock ever lets one call too many through.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from common.kernel.identity import new_id
from common.mongo import gate_pipelines as pipelines
from common.mongo.connection import Collection, Document
from common.mongo.gate_pipelines import EXACT_ENTRIES, LATENESS, LEAD, WINDOWS, span

__all__ = ["EXACT_ENTRIES", "LATENESS", "LEAD", "WINDOWS", "Granted", "Limits", "MongoGate", "Usage", "Wait", "usage"]


@dataclass(frozen=True)
class Limits:
    """Pacing and limits; 0 is off. `gap` in seconds, the others in grants per sliding window."""

    gap: float = 0.0
    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0

    def windows(self) -> dict[str, int]:
        """The windows that limit something, by name."""
        limits = {"minute": self.per_minute, "hour": self.per_hour, "day": self.per_day}
        return {name: limit for name, limit in limits.items() if limit}

    @property
    def unlimited(self) -> bool:
        return self.gap == 0 and not self.windows()


@dataclass(frozen=True)
class Granted:
    """`count` calls may be made at `slot` (server's time), `token` gives them back unused."""

    count: int
    slot: datetime
    token: str


@dataclass(frozen=True)
class Wait:
    """Nothing now; ask again `until` (server's time; `seconds` from now). `window` is the limit that was reached."""

    until: datetime
    seconds: float
    window: str | None = None


@dataclass(frozen=True)
class Usage:
    """How much of one window is used, and when the next grant becomes free (`None`: now)."""

    window: str
    limit: int
    used: int
    reset_at: datetime | None


class MongoGate:
    """Gates kept under the field `gate` of the documents of one collection.

    A paced call that comes later than its slot has to `move` first, or the next one would come too close to it. The
    windows allow for calls up to `LATENESS` after their slot: any other that comes later has to `date` it first. `now`
    is the expression the server tells the time by; only a test has reason to give another one.
    """

    def __init__(self, collection: Collection, *, now: Any = "$$NOW") -> None:
        self._collection = collection
        self._now = now

    async def grant(self, key: str, limits: Limits, *, want: int = 1, skip_gap: bool = False) -> Granted | Wait:
        """Ask for up to `want` calls; a paced gate grants one at a time.

        `skip_gap` is for critical messages: they do not wait for the gap (what follows them does), limits still count.
        """
        token = new_id("grant")
        windows = limits.windows()
        document = await self._collection.find_one_and_update(
            {"_id": key},
            pipelines.grant(
                windows,
                gap=timedelta(seconds=limits.gap),
                want=1 if limits.gap else want,
                skip_gap=skip_gap,
                token=token,
                now=self._now,
            ),
            upsert=True,
            return_document=ReturnDocument.AFTER,
            projection={"gate.now": 1, "gate.last": 1},
        )
        last: Document = document["gate"]["last"]
        if last["count"] > 0:
            return Granted(int(last["count"]), last["slot"], token)
        until: datetime = last["until"]
        window = next((name for name in windows if last["full"][name] == until), None)
        return Wait(until, max((until - document["gate"]["now"]).total_seconds(), 0.001), window)

    async def give_back(self, key: str, granted: Granted, *, unused: int | None = None) -> None:
        """Undo a grant, or the `unused` part of it; only once.

        After a later grant the windows forget it and the gap does not: what follows keeps its distance from nothing.
        What part of it is used for keeps its slot, so what follows keeps the gap from that.
        """
        count = granted.count if unused is None else unused
        undone = await self._collection.update_one(
            {"_id": key, "gate.undo.token": granted.token},
            pipelines.give_back(slot=granted.slot, count=count, whole=count == granted.count),
        )
        if not undone.matched_count:
            await self._collection.update_one(
                {"_id": key, "gate.tokens": granted.token},
                pipelines.forget(slot=granted.slot, count=count, token=granted.token),
            )

    async def move(self, key: str, *, slot: datetime, gap: float, to: datetime, behind: float = 0.0) -> datetime | None:
        """Date a paced grant later because its call is late; answers the new slot.

        Once the next slot is given away it is one that follows all that were, if that is at most `behind` seconds after
        `to`; otherwise `None`, and nothing is changed. `None` also when it may be forgotten.
        """
        pacing = timedelta(milliseconds=pipelines.milliseconds(timedelta(seconds=gap)))
        document = await self._collection.find_one_and_update(
            {
                "_id": key,
                **_remembered(slot),
                "$or": [
                    {"gate.next_at": slot + pacing},
                    {"gate.next_at": {"$gt": slot + pacing, "$lte": to + timedelta(seconds=behind)}},
                ],
            },
            pipelines.move(slot=slot, to=to, gap=pacing),
            return_document=ReturnDocument.AFTER,
            projection={"gate.next_at": 1},
        )
        if document is None:
            return None
        next_at: datetime = document["gate"]["next_at"]
        return next_at - pacing

    async def date(self, key: str, *, slot: datetime, to: datetime) -> bool:
        """Date a grant that no gap paced later because its call is late.

        This only delays others, so nobody has to be asked. `False` when it may be forgotten: it is a minute old.
        """
        result = await self._collection.update_one({"_id": key, **_remembered(slot)}, pipelines.date(slot=slot, to=to))
        return result.matched_count == 1

    async def reset(self, key: str) -> bool:
        """Forget the windows; the gap stays. `False` when there is no such gate."""
        result = await self._collection.update_one(
            {"_id": key}, {"$unset": {f"gate.{name}": "" for name in WINDOWS}, "$inc": {"gate.resets": 1}}
        )
        return result.matched_count == 1


def _remembered(slot: datetime) -> Document:
    """No window has forgotten a grant of `slot`: dated later, it would have to be counted again."""
    return {"gate.now": {"$lt": slot + min(span(name) for name in WINDOWS)}}


def usage(gate: Document, limits: Limits, now: datetime) -> list[Usage]:
    """Read the windows of a stored gate as of `now`."""
    found = []
    for name, limit in limits.windows().items():
        entries = [entry for entry in gate.get(name, []) if entry["at"] > now - span(name)]
        used = sum(int(entry["n"]) for entry in entries)
        oldest = min((entry["at"] for entry in entries), default=None)
        found.append(Usage(name, limit, used, oldest + span(name) if oldest and used >= limit else None))
    return found
