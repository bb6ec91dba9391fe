"""The gate: pacing and sliding-window limits of one sender (or recipient), granted by one atomic update.

Two dispatchers asking at once cannot both get the same slot, and the server's clock decides, so neither a second
replica nor a restart nor a wrong local clock ever lets one call too many through.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from common.kernel.identity import new_id
from common.mongo.connection import Collection, Document

WINDOWS = {"minute": 60, "hour": 3_600, "day": 86_400}
LATENESS = timedelta(milliseconds=250)
"""How long after its slot a call may still be made. Windows are longer by this, so that a late call cannot make one
too many in any window of the true length."""
LEAD = timedelta(milliseconds=120)
"""How long before its time a slot may be granted, so that the way to the provider costs the pacing nothing."""
EXACT_ENTRIES = 512
"""Up to this limit every grant has its own entry; above, grants of 1/512 of the window share one, dated by the last."""


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
    """Gates kept under the field `gate` of the documents of one collection."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def grant(self, key: str, limits: Limits, *, want: int = 1, skip_gap: bool = False) -> Granted | Wait:
        """Ask for up to `want` calls; a paced gate grants one at a time.

        `skip_gap` is for critical messages: they do not wait for the gap (what follows them does), limits still count.
        """
        token = new_id("grant")
        document = await self._collection.find_one_and_update(
            {"_id": key},
            _grant(limits, want=1 if limits.gap else want, skip_gap=skip_gap, token=token),
            upsert=True,
            return_document=ReturnDocument.AFTER,
            projection={"gate.last": 1},
        )
        last: Document = document["gate"]["last"]
        if last["count"] > 0:
            return Granted(int(last["count"]), last["slot"], token)
        now: datetime = last["now"]
        window = next((name for name in WINDOWS if last["full"].get(name) == last["until"]), None)
        return Wait(last["until"], max((last["until"] - now).total_seconds(), 0.001), window)

    async def give_back(self, key: str, granted: Granted) -> None:
        """Undo a grant nothing was found for; does nothing once a later one was made (the slot is then lost)."""
        await self._collection.update_one({"_id": key, "gate.last.token": granted.token}, _give_back(granted))

    async def move(self, key: str, *, slot: datetime, gap: float, to: datetime) -> bool:
        """Date a paced grant later because its call is late; `False` when the next slot is given away already."""
        expected = slot + timedelta(seconds=gap)
        result = await self._collection.update_one(
            {"_id": key, "gate.next_at": expected}, _move(slot, to, to + timedelta(seconds=gap))
        )
        return result.modified_count == 1

    async def reset(self, key: str) -> bool:
        """Forget the windows; the gap stays. `False` when there is no such gate."""
        result = await self._collection.update_one(
            {"_id": key}, {"$unset": {f"gate.{name}": "" for name in WINDOWS}, "$inc": {"gate.resets": 1}}
        )
        return result.matched_count == 1


def usage(gate: Document, limits: Limits, now: datetime) -> list[Usage]:
    """Read the windows of a stored gate as of `now`."""
    found = []
    for name, limit in limits.windows().items():
        span = timedelta(seconds=WINDOWS[name])
        entries = [entry for entry in gate.get(name, []) if entry["at"] > now - span - LATENESS]
        used = sum(int(entry["n"]) for entry in entries)
        full = used >= limit and bool(entries)
        found.append(Usage(name, limit, used, entries[0]["at"] + span + LATENESS if full else None))
    return found


def _milliseconds(delta: timedelta) -> int:
    return round(delta.total_seconds() * 1000)


def _grant(limits: Limits, *, want: int, skip_gap: bool, token: str) -> list[Document]:
    windows = limits.windows()
    next_at: Any = {"$ifNull": ["$gate.next_at", "$$NOW"]}
    alive = {name: _alive(name) for name in windows}
    free: Any = {
        "$min": [want, *({"$subtract": [limit, {"$sum": f"$gate.{name}.n"}]} for name, limit in windows.items())]
    }
    on_time: Any = True if skip_gap else {"$lte": [next_at, {"$add": ["$$NOW", _milliseconds(LEAD)]}]}
    slot: Any = "$$NOW" if skip_gap else {"$max": [next_at, "$$NOW"]}
    full = {
        name: {
            "$cond": [
                {"$gte": [{"$sum": f"$gate.{name}.n"}, limit]},
                {"$add": [{"$min": f"$gate.{name}.at"}, WINDOWS[name] * 1000 + _milliseconds(LATENESS)]},
                None,
            ]
        }
        for name, limit in windows.items()
    }
    last = {
        "token": token,
        "now": "$$NOW",
        "slot": slot,
        "before": next_at,
        "count": {"$cond": [on_time, {"$max": [0, free]}, 0]},
        "full": full or {"$literal": {}},
    }
    until: Any = {"$max": [{"$cond": [on_time, None, {"$subtract": [next_at, _milliseconds(LEAD)]}]},
                           *(f"$gate.last.full.{name}" for name in windows)]}  # fmt: skip
    granted: Any = {"$gt": ["$gate.last.count", 0]}
    following: Any = {"$max": [next_at, {"$add": ["$gate.last.slot", round(limits.gap * 1000)]}]}
    return [
        {"$set": {**{f"gate.{name}": value for name, value in alive.items()}, "touched_at": "$$NOW"}},
        {"$set": {"gate.last": last}},
        {
            "$set": {
                "gate.last.until": until,
                "gate.next_at": {"$cond": [granted, following, next_at]},
                **{
                    f"gate.{name}": {"$cond": [granted, _with_grant(name, limit), f"$gate.{name}"]}
                    for name, limit in windows.items()
                },
            }
        },
    ]


def _alive(name: str) -> Document:
    """The entries of a window that still count."""
    since = {"$subtract": ["$$NOW", WINDOWS[name] * 1000 + _milliseconds(LATENESS)]}
    return {
        "$filter": {
            "input": {"$ifNull": [f"$gate.{name}", []]},
            "as": "entry",
            "cond": {"$gt": ["$$entry.at", since]},
        }
    }


def _with_grant(name: str, limit: int) -> Document:
    """The window's entries with this grant: an entry of its own, or merged into the last of the same fraction."""
    entries = f"$gate.{name}"
    appended: Document = {"$concatArrays": [entries, [{"at": "$gate.last.slot", "n": "$gate.last.count"}]]}
    if limit <= EXACT_ENTRIES:
        return appended
    fraction = WINDOWS[name] * 1000 // EXACT_ENTRIES
    last = {"$last": entries}

    def number(moment: Any) -> Document:
        return {"$floor": {"$divide": [{"$toLong": moment}, fraction]}}

    merged = {
        "$concatArrays": [
            {"$cond": [{"$gt": [{"$size": entries}, 1]},
                       {"$slice": [entries, {"$max": [1, {"$subtract": [{"$size": entries}, 1]}]}]}, []]},
            [{"at": {"$max": ["$$last.at", "$gate.last.slot"]}, "n": {"$add": ["$$last.n", "$gate.last.count"]}}],
        ]
    }  # fmt: skip
    same = {"$eq": [number("$$last.at"), number("$gate.last.slot")]}
    return {
        "$cond": [
            {"$eq": [{"$size": entries}, 0]},
            appended,
            {"$let": {"vars": {"last": last}, "in": {"$cond": [same, merged, appended]}}},
        ]
    }


def _give_back(granted: Granted) -> list[Document]:
    lists = {}
    for name in WINDOWS:
        entries = {"$ifNull": [f"$gate.{name}", []]}
        reduced = {
            "$map": {
                "input": entries,
                "as": "entry",
                "in": {
                    "at": "$$entry.at",
                    "n": {"$cond": [{"$eq": ["$$entry.at", granted.slot]},
                                    {"$subtract": ["$$entry.n", granted.count]}, "$$entry.n"]},
                },
            }
        }  # fmt: skip
        lists[f"gate.{name}"] = {"$filter": {"input": reduced, "as": "entry", "cond": {"$gt": ["$$entry.n", 0]}}}
    return [{"$set": {**lists, "gate.next_at": "$gate.last.before", "gate.last.token": "given back"}}]


def _move(slot: datetime, to: datetime, next_at: datetime) -> list[Document]:
    lists = {
        f"gate.{name}": {
            "$map": {
                "input": {"$ifNull": [f"$gate.{name}", []]},
                "as": "entry",
                "in": {"at": {"$cond": [{"$eq": ["$$entry.at", slot]}, to, "$$entry.at"]}, "n": "$$entry.n"},
            }
        }
        for name in WINDOWS
    }
    return [{"$set": {**lists, "gate.next_at": next_at}}]
