"""The directory: what other services' rows say, kept so that any order of any tellings ends in the same rows.

A stored row is its `_id`, the fields that were told (`common.contracts.directory`; one that nobody told is absent),
`told` (each field's stamp), `occasions` (the stamp of the latest fact of each kind), `changed_at` and `found_as`, what
it is searched by (`common.mongo.search_keys`): one that has none, or none of its name, gets it when that is told again.

A field that was forgotten is absent but has a stamp in `told`: what was told of it until then does not bring it back,
what is told of it later does.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from common.contracts.directory import ROWS, Activity, Customer, CustomerStatus, Invoice, StaffRole, Ticket
from common.contracts.tellings import OURS, Erased, Outcome, Stamp, Telling, Told, Unfit, Value
from common.mongo.connection import DUPLICATE_KEY, BulkWriteError, Document, Mongo, UpdateOne
from common.mongo.erased_addresses import ErasedAddresses, Named, Until
from common.mongo.personal import HOLDINGS
from common.mongo.search_keys import FIELD, MOST_CHARACTERS, keys_of, named_by

TRIES = 5
"""Of an insert that somebody else makes at the same moment."""
_IN_USE = {"$in": [None, Activity.ACTIVE.value]}
"""Staff and technicians of whom nobody told that they left."""
_TOLD: Document = dict.fromkeys(sorted(OURS - {"_id"}), 0)
_UNTOLD = (-(2**62), 0)
"""The stamp of what nobody told: anything is later."""
FORGOTTEN = 2**53 + 1
"""The version in the stamp of what was forgotten: of the same moment nobody can tell anything later."""
Winner = tuple[int, int, Value]
"""A field's stamp and value: the greatest is kept, so that not even equal stamps make the order matter."""


class Directory:
    """`zone` is where moments without an offset are told in."""

    def __init__(self, mongo: Mongo, *, zone: tzinfo = UTC) -> None:
        self._mongo = mongo
        self._zone = zone
        self._erased = ErasedAddresses(mongo)

    async def tell(self, kind: str, tellings: Sequence[Telling], *, dry_run: bool = False) -> list[Told]:
        """Keep what is told, each field unless something later is known of it; one answer a telling, in order.

        One atomic write a row. With `dry_run` nothing is written. What was told before somebody it names was erased is
        refused, and its row is left as if it had been there when they were.
        """
        named = await self._erased.named_by(tellings)
        known = await self._erased.among(named)
        late = {one.place: one.field for one in known}
        fit = [telling for place, telling in enumerate(tellings) if place not in late]
        kept = iter(await self._keep(kind, fit, dry_run=dry_run))
        told = [_late(one, late[place]) if place in late else next(kept) for place, one in enumerate(tellings)]
        if not dry_run:
            # An erasure that began meanwhile may have looked for its rows before these were written.
            erased = await self._erased.among(named)
            if erased:
                await self._forget_late(kind, erased, known)
            for one in erased:
                told[one.place] = _late(tellings[one.place], one.field)
        return told

    async def _keep(self, kind: str, tellings: Sequence[Telling], *, dry_run: bool) -> list[Told]:
        stored = await self.many(kind, {telling.row.id for telling in tellings})
        batch = _Batch(stored, self._zone, await self._forgotten_until(kind, tellings, stored))
        told = [batch.take(telling) for telling in tellings]
        if not dry_run:
            await self._write(kind, batch)
        return told

    async def get(self, kind: str, identity: str) -> Document | None:
        return await self._mongo[kind].find_one({"_id": identity})

    async def many(self, kind: str, identities: Iterable[str]) -> dict[str, Document]:
        """The rows there are, by identity."""
        cursor = self._mongo[kind].find({"_id": {"$in": sorted(set(identities))}})
        return {row["_id"]: row async for row in cursor}

    async def staff(self, roles: Iterable[StaffRole | str]) -> list[Document]:
        """Everybody with one of the roles who is not told to be inactive."""
        query = {"role": {"$in": sorted(str(role) for role in roles)}, "status": _IN_USE}
        return await self._mongo["staff"].find(query).sort("_id", 1).to_list(None)

    async def technicians(self) -> list[Document]:
        """Everybody who is not told to be inactive."""
        return await self._mongo["technicians"].find({"status": _IN_USE}).sort("_id", 1).to_list(None)

    async def count_customers(self, area: str | None = None) -> int:
        """Active customers, of one area or all."""
        return await self._mongo["customers"].count_documents(_active(area))

    async def customers(self, after: str | None, area: str | None, limit: int) -> list[Document]:
        """The next active customers in the order of `_id`, of one area or all; nothing but what was told of them."""
        query = _active(area) if after is None else {**_active(area), "_id": {"$gt": after}}
        cursor = self._mongo["customers"].find(query, _TOLD).sort("_id", 1).limit(limit).batch_size(limit)
        return await cursor.to_list(limit)

    async def by_phone(self, number: str) -> list[Document]:
        """The customers with a (normalised) number; a family may share one."""
        return await self._mongo["customers"].find({"phone": number}).sort("_id", 1).to_list(None)

    async def forget(self, kind: str, rows: Mapping[str, int]) -> None:
        """Take from these people's rows, by identity, every field that was told until a moment (microseconds since
        1970), also from a row that is still to be told, and leave them inactive: nothing that was told until then
        brings any of it back, and what is told later stands. Doing it again changes nothing.
        """
        fields = [name for name in ROWS[kind].model_fields if name != "id"]
        inactive: Document = {"$set": {"status": {"$ifNull": ["$status", Activity.INACTIVE.value]}}}
        writes = [
            UpdateOne(
                {"_id": identity}, [*forgotten(fields, called=named_by(kind), until=until), inactive], upsert=True
            )
            for identity, until in sorted(rows.items())
        ]
        if writes:
            await self._mongo[kind].bulk_write(writes, ordered=False)
        if kind == Customer.kind:
            for identity, until in rows.items():
                await self._forget_texts(identity, until)

    async def _forget_texts(self, customer: str, until: int) -> None:
        """Those of the customer's tickets and invoices speak of them."""
        for kind in (Ticket.kind, Invoice.kind):
            texts = list(HOLDINGS[kind].emptied)
            theirs = {"customer_id": customer, "$or": _not_forgotten(texts, until)}
            await self._mongo[kind].update_many(theirs, forgotten(texts, called=named_by(kind), until=until))

    async def _forget_late(self, kind: str, erased: Mapping[Named, Until], known: Container[Named]) -> None:
        """Leave rows as they would be if what was told late had been there when its person was erased, unless they were
        told something later in that field: then they are somebody else's. So is a row that had the same address before
        it was told late (`known`), and the erasure let it stand. One that was asked for by this address let none stand:
        then whoever wrote the row died before they could take it back.
        """
        rows = await self.many(kind, {one.identity for one in erased})
        moments: dict[str, int] = {}
        for one, until in erased.items():
            row = rows.get(one.identity, {})
            stamp = tuple(row.get("told", {}).get(one.field, _UNTOLD))
            stood = one in known and row.get(one.field) == one.address and one.stamp[0] > until.of_everybody
            others = stood or (one.field in row and stamp > one.stamp)
            if not others and forgotten_until(row) < until.moment:
                moments[one.identity] = max(until.moment, moments.get(one.identity, until.moment))
        await self.forget(kind, moments)

    async def _forgotten_until(
        self, kind: str, tellings: Sequence[Telling], stored: Mapping[str, Document]
    ) -> dict[str, int]:
        """The rows that belong to a customer who was forgotten, and until when: their texts speak of them."""
        if "customer_id" not in ROWS[kind].model_fields:
            return {}
        whose = {identity: row.get("customer_id") for identity, row in stored.items()}
        whose |= {one.row.id: named for one in tellings if (named := getattr(one.row, "customer_id", None))}
        customers = await self.many("customers", {one for one in whose.values() if one})
        moments = {identity: forgotten_until(row) for identity, row in customers.items()}
        return {identity: moments[one] for identity, one in whose.items() if one in moments}

    async def _write(self, kind: str, batch: "_Batch") -> None:
        called, rows, put = named_by(kind), batch.rows, batch.first
        for remaining in reversed(range(TRIES)):
            if not rows:
                return
            try:
                await self._mongo[kind].bulk_write([put(row, called) for row in rows], ordered=False)
            except BulkWriteError as error:
                refused = error.details["writeErrors"]
                if not remaining or not refused or any(one["code"] != DUPLICATE_KEY for one in refused):
                    raise
                rows, put = [rows[one["index"]] for one in refused], batch.update  # they are there by now
            else:
                return


class _Batch:
    """Tellings of one call put together, so that each row is written once."""

    def __init__(self, stored: Mapping[str, Document], zone: tzinfo, forgotten_until: Mapping[str, int]) -> None:
        self._stored = stored
        self._zone = zone
        self._forgotten_until = forgotten_until
        self._known: dict[str, dict[str, Winner]] = {}
        self._winners: dict[str, dict[str, Winner]] = {}
        self._occasions: dict[str, dict[str, Stamp]] = {}

    def take(self, telling: Telling) -> Told:
        try:
            fields = telling.fields(self._zone)
        except Unfit as problem:
            return Told(telling.row.id, Outcome.REFUSED, problem=problem)
        identity = telling.row.id
        if telling.stamp[0] <= self._forgotten_until.get(identity, _UNTOLD[0]):
            fields = {name: value for name, value in fields.items() if name not in HOLDINGS[telling.row.kind].emptied}
        new = identity not in self._stored and identity not in self._known
        if identity not in self._known:
            self._known[identity] = _known(self._stored.get(identity, {}))
        said: dict[str, Winner] = {name: (*telling.stamp, value) for name, value in fields.items()}
        said |= {name: (*stamp, value) for name, (stamp, value) in telling.surmised.items()}
        changed = tuple(name for name, winner in said.items() if self._say(identity, name, winner))
        occasions = self._occasions.setdefault(identity, {})
        if telling.occasion is not None:
            occasions[telling.occasion] = max(telling.stamp, occasions.get(telling.occasion, telling.stamp))
        return Told(identity, Outcome.NEW if new else Outcome.CHANGED if changed else Outcome.UNCHANGED, changed)

    @property
    def rows(self) -> list[str]:
        return list(self._occasions)

    def first(self, identity: str, called: str) -> UpdateOne:
        """What is told of a row as it was read, or of one that was not there, is written as it is, which costs the
        server a fraction of comparing. Should the row be another one by now, that is refused as a duplicate. `called`
        is the field a row is called by.
        """
        before = self._stored.get(identity)
        winners = self._winners.get(identity, {})
        if before is not None and ("told" not in before or not _comparable(winners, before)):
            return self.update(identity, called)
        told = {} if before is None else before["told"]
        row: Document = {} if before is not None and FIELD in before else {FIELD: keys_of(identity)}
        changed = before is None
        for field, (at, version, value) in winners.items():
            if [at, version] < told.get(field, list(_UNTOLD)):
                continue
            row |= {field: value, f"told.{field}": [at, version]}
            changed = changed or field not in (before or {}) or (before or {})[field] != value
            if field == called:
                row[FIELD] = keys_of(identity, str(value))
        as_read: Document = {"changed_at": {"$exists": False}} if before is None else {"told": told}
        written: Document = {"$set": row} if row else {}
        occasions = {f"occasions.{kind}": list(stamp) for kind, stamp in self._occasions[identity].items()}
        if occasions:
            written["$max"] = occasions
        if changed:
            written["$currentDate"] = {"changed_at": True}
        written = written or {"$unset": {"_choice": ""}}  # something later is known of all of it: nothing is written
        return UpdateOne({"_id": identity, **as_read}, written, upsert=True)

    def update(self, identity: str, called: str) -> UpdateOne:
        winners = self._winners.get(identity, {})
        stages = [*_update(winners, self._occasions[identity]), _found_as(identity, called, winners.get(called))]
        return UpdateOne({"_id": identity}, stages, upsert=True)

    def _say(self, identity: str, name: str, said: Winner) -> bool:
        """Whether the field has another value by it."""
        winners, known = self._winners.setdefault(identity, {}), self._known[identity]
        winners[name] = max(said, winners.get(name, said))
        before = known.get(name)
        if before is not None and said <= before:
            return False
        known[name] = said
        return before is None or before[2] != said[2]


def _comparable(winners: Mapping[str, Winner], row: Document) -> bool:
    """Of equal stamps the greater value is kept, and only the server compares values of any kind."""
    return all(
        list(winner[:2]) != row["told"].get(name) or winner[2] == row.get(name) for name, winner in winners.items()
    )


def _known(row: Document) -> dict[str, Winner]:
    told = row.get("told", {})
    lacking: dict[str, Winner] = {name: (*stamp, "") for name, stamp in told.items() if name not in row}
    return lacking | {name: (*told.get(name, _UNTOLD), value) for name, value in row.items() if name not in OURS}


def _late(telling: Telling, field: str) -> Told:
    return Told(telling.row.id, Outcome.REFUSED, problem=Erased(field))


def _not_forgotten(texts: Sequence[str], until: int) -> list[Document]:
    """Also what nobody told yet: it may have been said before, and come later."""
    stamps = [f"told.{name}" for name in texts]
    return [{stamp: {"$ne": [until, FORGOTTEN]}, f"{stamp}.0": {"$not": {"$gt": until}}} for stamp in stamps]


def forgotten(fields: Sequence[str], *, called: str, until: int | None = None) -> list[Document]:
    """The update that takes fields from a row: what was told until a moment, or else whatever is there. `called` is the
    field a row is called by.
    """
    written: Document = {"changed_at": "$$NOW"} if until is not None else {}
    for name in fields:
        since = {"$ifNull": [{"$first": f"$told.{name}"}, 0]}
        if until is None:
            stays: Document = {"$eq": [{"$type": f"${name}"}, "missing"]}
        else:
            stays = {"$gt": [since, until]}
        stamp = [since if until is None else until, FORGOTTEN]
        written[f"told.{name}"] = {"$cond": [stays, f"$told.{name}", stamp]}
        written[name] = {"$cond": [stays, f"${name}", "$$REMOVE"]}
        if name == called:  # an identity is plain letters and digits
            plain = [{"$substrCP": [{"$toLower": "$_id"}, 0, MOST_CHARACTERS]}]
            written[FIELD] = {"$cond": [stays, {"$ifNull": [f"${FIELD}", plain]}, plain]}
    return [{"$set": written}]


def forgotten_until(row: Mapping[str, Any]) -> int:
    """The latest moment anything of a row was forgotten at, in microseconds since 1970."""
    return max((at for at, version in row.get("told", {}).values() if version == FORGOTTEN), default=_UNTOLD[0])


def latest_stamp(row: Mapping[str, Any]) -> int:
    """The latest moment anything of a row was told at, in microseconds since 1970."""
    return max((stamp[0] for stamp in row.get("told", {}).values()), default=0)


def _update(winners: Mapping[str, Winner], occasions: Mapping[str, Stamp]) -> list[Document]:
    """Of each field the greater of what is stored and what is told. `$literal`: a text may begin with a dollar."""
    choice: Document = {
        name: {"$max": [{"$literal": list(winner)}, {"$concatArrays": [_stamp(f"$told.{name}"), [f"${name}"]]}]}
        for name, winner in winners.items()
    }
    unchanged = [{"$eq": [{"$last": f"$_choice.{name}"}, {"$ifNull": [f"${name}", None]}]} for name in winners]
    kept: Document = {name: {"$ifNull": [{"$last": f"$_choice.{name}"}, "$$REMOVE"]} for name in winners}
    told: Document = {f"told.{name}": {"$slice": [f"$_choice.{name}", 2]} for name in winners}
    facts: Document = {
        f"occasions.{name}": {"$max": [list(stamp), f"$occasions.{name}"]} for name, stamp in occasions.items()
    }
    changed = {
        "$cond": [{"$and": [{"$ne": [{"$type": "$changed_at"}, "missing"]}, *unchanged]}, "$changed_at", "$$NOW"]
    }
    written = {"$set": {**kept, **told, **facts, "changed_at": changed}}
    return [{"$set": {"_choice": choice}}, written, {"$unset": "_choice"}] if winners else [written]


def _found_as(identity: str, called: str, said: Winner | None) -> Document:
    """The stage that keeps what a row is searched by true to its name, whichever one was kept."""
    kept: Document = {"$ifNull": [f"${FIELD}", {"$literal": keys_of(identity)}]}
    if said is None:
        return {"$set": {FIELD: kept}}
    name = said[2]
    anew = {"$literal": keys_of(identity, str(name))}
    return {"$set": {FIELD: {"$cond": [{"$eq": [f"${called}", {"$literal": name}]}, anew, kept]}}}


def _stamp(path: str) -> Document:
    return {"$ifNull": [path, list(_UNTOLD)]}


def _active(area: str | None) -> dict[str, Any]:
    query: dict[str, Any] = {"status": CustomerStatus.ACTIVE.value}
    return query if area is None else {**query, "area": area}
