"""What the gate does to its document, as update pipelines: each is one atomic change, decided by the server alone.

The document, under `gate`: `now` (when somebody last asked), `next_at` (before it no paced slot), a list of grants
`{"at", "n"}` for each window, `last` (the answer to whoever asked last), `undo` (the last grant, so that it can be
given back), `tokens` (of the last grants that were not given back), `gap` (milliseconds, for a grant that is dated
later by who does not know it).

`now` never goes back. The server reads its clock when an update arrives, not when it gets its turn, so of two updates
the one with the older time may come second; and another member of the replica set has another clock.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

Document = dict[str, Any]

WINDOWS = {"minute": 60, "hour": 3_600, "day": 86_400}
LATENESS = timedelta(milliseconds=250)
"""How long after its slot a call may still be made. Windows are longer by this, so that a late call cannot make one
too many in any window of the true length."""
LEAD = timedelta(milliseconds=120)
"""How long before its time a slot may be granted, so that the way to the provider costs the pacing nothing."""
OUTSTANDING = 16
"""So many of the last grants can be given back, each once."""
EXACT_ENTRIES = 512
"""Up to this limit every grant has its own entry; above, grants of 1/512 of the window share one, dated by the last."""


def milliseconds(delta: timedelta) -> int:
    return round(delta / timedelta(milliseconds=1))


def span(window: str) -> timedelta:
    """How long a grant counts in a window."""
    return timedelta(seconds=WINDOWS[window]) + LATENESS


def grant(
    windows: Mapping[str, int], *, gap: timedelta, want: int, skip_gap: bool, token: str, now: Any
) -> list[Document]:
    """Forget what no longer counts, decide, and write the grant down if there is one."""
    next_at: Document = {"$ifNull": ["$gate.next_at", "$gate.now"]}
    on_time: Any = True if skip_gap else {"$lte": [next_at, {"$add": ["$gate.now", milliseconds(LEAD)]}]}
    slot: Any = "$gate.now" if skip_gap else {"$max": [next_at, "$gate.now"]}
    granted: Document = {"$gt": ["$gate.last.count", 0]}
    following: Document = {"$max": [next_at, {"$add": ["$gate.last.slot", milliseconds(gap)]}]}
    outstanding = {"$concatArrays": [{"$ifNull": ["$gate.tokens", []]}, [token]]}
    undo = {"token": token, "before": next_at, "after": following}
    return [
        {"$set": {"gate.now": {"$max": [now, "$gate.now"]}, "touched_at": now}},
        # The old answer goes first: $set merges into an object that is there and would keep parts of it.
        {"$set": {**{f"gate.{name}": _alive(name) for name in windows}, "gate.last": "$$REMOVE"}},
        {
            "$set": {
                "gate.last": {
                    "slot": slot,
                    "early": {"$cond": [on_time, None, {"$subtract": [next_at, milliseconds(LEAD)]}]},
                    "full": {name: _full_until(name, limit) for name, limit in windows.items()} or {"$literal": {}},
                    "count": {"$cond": [on_time, {"$max": [0, _free(windows, want)]}, 0]},
                }
            }
        },
        {
            "$set": {
                "gate.last.until": {"$max": ["$gate.last.early", *(f"$gate.last.full.{name}" for name in windows)]},
                "gate.gap": milliseconds(gap),
                "gate.undo": {"$cond": [granted, undo, "$gate.undo"]},
                "gate.next_at": {"$cond": [granted, following, next_at]},
                "gate.tokens": {"$cond": [granted, {"$slice": [outstanding, -OUTSTANDING]}, "$gate.tokens"]},
                **{
                    f"gate.{name}": {"$cond": [granted, _with_grant(name, limit), f"$gate.{name}"]}
                    for name, limit in windows.items()
                },
            }
        },
    ]


def give_back(*, slot: datetime, count: int, whole: bool) -> list[Document]:
    """Take so much of the last grant out again. Its entries are the last of their lists, where they were not merged
    away. Only without the `whole` of it there is no call that others have to keep the gap from.
    """
    lists: Document = {f"gate.{name}": _without_grant(f"$gate.{name}", slot, count) for name in WINDOWS}
    if whole:
        unmoved = {"$eq": ["$gate.next_at", "$gate.undo.after"]}
        lists["gate.next_at"] = {"$cond": [unmoved, "$gate.undo.before", "$gate.next_at"]}
    return [{"$set": {**lists, "gate.tokens": _without("$gate.undo.token")}}, {"$unset": "gate.undo"}]


def forget(*, slot: datetime, count: int, token: str) -> list[Document]:
    """Take so much of a grant that is not the last one out of the windows again. What was dated later or merged away
    stays.
    """
    lists: Document = {f"gate.{name}": _less(f"$gate.{name}", slot, count) for name in WINDOWS}
    return [{"$set": {**lists, "gate.tokens": _without(token)}}]


def move(*, slot: datetime, to: datetime, gap: timedelta) -> list[Document]:
    """Date the paced grant of `slot` as `to` if it is the last one, otherwise behind all the others."""
    following = {"$add": [slot, milliseconds(gap)]}
    moved: Document = {"$cond": [{"$eq": ["$gate.next_at", following]}, to, {"$max": [to, "$gate.next_at"]}]}
    return [{"$set": {**_dated(slot, moved), "gate.next_at": {"$add": [moved, milliseconds(gap)]}}}]


def date(*, slot: datetime, to: datetime) -> list[Document]:
    """Date the grant of `slot` as `to`; what has no slot yet keeps the gap from that.

    So does what was granted meanwhile, should it be given back.
    """
    following = {"$add": [to, {"$ifNull": ["$gate.gap", 0]}]}
    places = ("next_at", "undo.before", "undo.after")
    return [
        {"$set": {**_dated(slot, to), **{f"gate.{place}": {"$max": [f"$gate.{place}", following]} for place in places}}}
    ]


def _dated(slot: datetime, to: Any) -> Document:
    """Every window with the grant of `slot` dated as `to`, and with it whatever lies between.

    The grant may share an entry that is dated by a later one, or have been dated later before, so it is looked for from
    its slot on. To date another one later as well only delays: it counts for longer. Every entry keeps its place, so
    that the last one is still the last grant's.
    """
    between = {"$and": [{"$gte": ["$$entry.at", slot]}, {"$lt": ["$$entry.at", to]}]}
    return {
        f"gate.{name}": {
            "$map": {
                "input": {"$ifNull": [f"$gate.{name}", []]},
                "as": "entry",
                "in": {"at": {"$cond": [between, to, "$$entry.at"]}, "n": "$$entry.n"},
            }
        }
        for name in WINDOWS
    }


def _free(windows: Mapping[str, int], want: int) -> Document:
    """How many of the wanted calls every window still has room for; below 0 after a limit was lowered."""
    return {"$min": [want, *({"$subtract": [limit, {"$sum": f"$gate.{name}.n"}]} for name, limit in windows.items())]}


def _full_until(name: str, limit: int) -> Document:
    """When the oldest grant of a full window stops counting; null while there is room."""
    full = {"$gte": [{"$sum": f"$gate.{name}.n"}, limit]}
    return {"$cond": [full, {"$add": [{"$min": f"$gate.{name}.at"}, milliseconds(span(name))]}, None]}


def _alive(name: str) -> Document:
    """The entries of a window that still count."""
    return {
        "$filter": {
            "input": {"$ifNull": [f"$gate.{name}", []]},
            "as": "entry",
            "cond": {"$gt": ["$$entry.at", {"$subtract": ["$gate.now", milliseconds(span(name))]}]},
        }
    }


def _with_grant(name: str, limit: int) -> Document:
    """The window's entries with this grant: an entry of its own, or merged into the last of the same fraction."""
    entries = f"$gate.{name}"
    appended: Document = {"$concatArrays": [entries, [{"at": "$gate.last.slot", "n": "$gate.last.count"}]]}
    if limit <= EXACT_ENTRIES:
        return appended
    fraction = WINDOWS[name] * 1000 // EXACT_ENTRIES

    def number(moment: str) -> Document:
        return {"$floor": {"$divide": [{"$toLong": moment}, fraction]}}

    merged = {
        "$concatArrays": [
            _all_but_last(entries),
            [{"at": {"$max": ["$$last.at", "$gate.last.slot"]}, "n": {"$add": ["$$last.n", "$gate.last.count"]}}],
        ]
    }
    same = {"$eq": [number("$$last.at"), number("$gate.last.slot")]}
    return {
        "$cond": [
            {"$eq": [{"$size": entries}, 0]},
            appended,
            {"$let": {"vars": {"last": {"$last": entries}}, "in": {"$cond": [same, merged, appended]}}},
        ]
    }


def _without_grant(entries: str, slot: datetime, count: int) -> Document:
    """The entries less so much of this grant; another grant of the same millisecond keeps what is its own."""
    kept: Document = {"$ifNull": [entries, []]}
    left = {"at": "$$last.at", "n": {"$subtract": ["$$last.n", count]}}
    reduced = {"$concatArrays": [_all_but_last(entries), {"$cond": [{"$gt": [left["n"], 0]}, [left], []]}]}
    return {
        "$let": {
            "vars": {"last": {"$last": kept}},
            "in": {"$cond": [{"$eq": ["$$last.at", slot]}, reduced, kept]},
        }
    }


def _without(token: str) -> Document:
    return {"$filter": {"input": {"$ifNull": ["$gate.tokens", []]}, "cond": {"$ne": ["$$this", token]}}}


def _less(entries: str, slot: datetime, count: int) -> Document:
    """The entries less so many of those of a moment."""
    of_slot = {"$min": ["$$value.left", {"$cond": [{"$eq": ["$$this.at", slot]}, "$$this.n", 0]}]}
    kept = {"at": "$$this.at", "n": {"$subtract": ["$$this.n", "$$taken"]}}
    reduced: Document = {
        "$reduce": {
            "input": {"$ifNull": [entries, []]},
            "initialValue": {"left": count, "entries": []},
            "in": {
                "$let": {
                    "vars": {"taken": of_slot},
                    "in": {
                        "left": {"$subtract": ["$$value.left", "$$taken"]},
                        "entries": {
                            "$concatArrays": ["$$value.entries", {"$cond": [{"$gt": [kept["n"], 0]}, [kept], []]}]
                        },
                    },
                }
            },
        }
    }
    return {"$getField": {"field": "entries", "input": reduced}}


def _all_but_last(entries: str) -> Document:
    size = {"$size": entries}
    return {"$cond": [{"$gt": [size, 1]}, {"$slice": [entries, {"$max": [1, {"$subtract": [size, 1]}]}]}, []]}
