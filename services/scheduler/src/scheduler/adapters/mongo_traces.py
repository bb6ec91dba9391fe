"""What there is of people in MongoDB, found by indexes, and how it goes."""

import contextlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime

from common.contracts.documents import ErasedPerson, ErasedRow
from common.contracts.events import MessageReceived
from common.contracts.facts import NotificationRequested
from common.contracts.tellings import microseconds
from common.contracts.vocabulary import ERASED, WAITING, DeliveryStatus
from common.kernel.email import InvalidEmail, normalise_email
from common.mongo.connection import Document, Mongo
from common.mongo.directory import Directory, latest_stamp
from common.mongo.ending import NOT_UNDER_WAY, ended
from common.mongo.erased_addresses import ErasedAddresses
from common.mongo.personal import emptied, removed_contents
from common.mongo.suppressions import Suppressions
from scheduler.domain.mentions import facts_about, mentions, without

BATCH = 500
REASON = "its recipient was erased"
_PEOPLE = {"phone": ("customers", "technicians", "staff"), "email": ("customers", "staff")}
_OVER: Document = {"status": {"$nin": sorted(WAITING)}, "announce_at": {"$exists": False}}


class MongoTraces:
    def __init__(self, mongo: Mongo, directory: Directory, suppressions: Suppressions) -> None:
        self._mongo = mongo
        self._deliveries = mongo["deliveries"]
        self._notifications = mongo["notifications"]
        self._pages = mongo["audience_pages"]
        self._envelopes = mongo["parked_envelopes"]
        self._directory = directory
        self._suppressions = suppressions
        self._erased = ErasedAddresses(mongo)

    async def keep_out(self, by: str, wanted: str, at: datetime) -> None:
        if by in _PEOPLE:
            await self._erased.add([wanted], at, of_everybody=True)

    async def person(self, by: str, wanted: str, at: datetime) -> ErasedPerson:
        found: list[tuple[str, Document]] = []
        if by == "customer_id":
            row = await self._directory.get("customers", wanted)
            found.append(("customers", row or {"_id": wanted}))
        for kind in _PEOPLE.get(by, ()):
            rows = self._mongo[kind].find(_may_have(by, wanted))
            found += [(kind, row) async for row in rows if wanted in _addresses(row)]
        addresses = {address for _, row in found for address in _addresses(row)}
        recipients = addresses | ({wanted} if by in _PEOPLE else set())
        customers = [row["_id"] for kind, row in found if kind == "customers"]
        technicians = [row["_id"] for kind, row in found if kind == "technicians"]
        until = microseconds(at)
        return ErasedPerson(
            rows=[ErasedRow(kind=kind, id=row["_id"], until=max(until, latest_stamp(row))) for kind, row in found],
            recipients=sorted(recipients | {f"customer:{identity}" for identity in customers}),
            subjects=[
                *(f"customer {identity}" for identity in customers),
                *(f"technician {identity}" for identity in technicians),
                *[f"ticket {identity}" for identity in await self._of_customers("tickets", customers)],
                *[f"invoice {identity}" for identity in await self._of_customers("invoices", customers)],
            ],
        )

    async def forget(self, person: ErasedPerson, at: datetime) -> None:
        rows: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in person["rows"]:
            rows[row["kind"]][row["id"]] = row["until"]
        await self._erased.add(person["recipients"], at, of_everybody=False)
        for kind, moments in rows.items():
            await self._directory.forget(kind, moments)
        for recipient in person["recipients"]:
            await self._suppressions.conceal(recipient)

    async def cancel(self, person: ErasedPerson, at: datetime, now: datetime) -> None:
        end = ended(DeliveryStatus.CANCELLED, reason=REASON, cause=REASON, code=ERASED, now=now)
        to_them = _to(person, at)
        await self._deliveries.update_many({**to_them, "status": {"$in": NOT_UNDER_WAY}}, end, hint="by_recipient")
        await self._deliveries.update_many(
            {**to_them, "status": DeliveryStatus.SENDING, "called_off": {"$exists": False}},
            {"$set": {"called_off": REASON, "called_off_code": ERASED}, "$inc": {"revision": 1}},
            hint="by_recipient",
        )

    async def remove(
        self, person: ErasedPerson, at: datetime, erasure_id: str, now: datetime
    ) -> AsyncIterator[Mapping[str, int]]:
        async for _ in self._to_them(person, at, erasure_id, now):
            yield {}
        async for _ in self._about_them(person, at, erasure_id, now):
            yield {}

    async def remove_elsewhere(self, person: ErasedPerson, now: datetime) -> AsyncIterator[Mapping[str, int]]:
        for collection in ("wishes", "recipient_gates"):
            await self._mongo[collection].delete_many({"_id": {"$in": person["recipients"]}})
        if theirs := mentions(person["recipients"], []):  # who wrote a message is not masked, as recipients are
            wrote = {"event": MessageReceived.routing_key, "body": {"$regex": "|".join(theirs), "$options": "i"}}
            await self._mongo["webhook_messages"].delete_many(wrote, hint="received")
        async for found in self._parked(person):
            yield {"parked_envelopes": await self._empty_parked(person, found, now)}

    async def left(self, person: ErasedPerson, at: datetime) -> str | None:
        counted = {
            "deliveries to the person": await self._deliveries.count_documents(_to(person, at), hint="by_recipient"),
            "notifications about the person": len(await self._about(person, at)),
            "notifications to be planned": await self._notifications.count_documents(
                {"wake_at": {"$exists": True}, "created_at": {"$lte": at}}, hint="deadline"
            ),
        }
        return ", ".join(f"{number} {what}" for what, number in counted.items() if number) or None

    async def removed(self, erasure_id: str) -> Mapping[str, int]:
        mine = {"removed_by": erasure_id}
        return {
            "deliveries": await self._deliveries.count_documents(mine),
            "deliveries_cancelled": await self._deliveries.count_documents({**mine, "code": ERASED}),
            "notifications": len(await self._deliveries.distinct("notification_id", mine)),
        }

    async def count(self, person: ErasedPerson, at: datetime) -> Mapping[str, int]:
        to_them = _to(person, at)
        about = await self._about(person, at)
        either = {"$or": [to_them, {"notification_id": {"$in": about}, "contents_removed_at": {"$exists": False}}]}
        waiting = {**to_them, "status": {"$in": NOT_UNDER_WAY}}
        return {
            "deliveries": await self._deliveries.count_documents(either),
            "deliveries_cancelled": await self._deliveries.count_documents(waiting, hint="by_recipient"),
            "notifications": len({*about, *await self._deliveries.distinct("notification_id", to_them)}),
            "parked_envelopes": sum([len(found) async for found in self._parked(person)]),
        }

    async def _of_customers(self, kind: str, customers: Sequence[str]) -> list[str]:
        cursor = self._mongo[kind].find({"customer_id": {"$in": list(customers)}}, {"_id": 1})
        return [row["_id"] async for row in cursor]

    async def _to_them(self, person: ErasedPerson, at: datetime, erasure_id: str, now: datetime) -> AsyncIterator[int]:
        reason = {"$cond": [{"$eq": ["$code", ERASED]}, "$reason", None]}
        empty = removed_contents(now, but=frozenset({"reason"}), removed_by=erasure_id, reason=reason)
        over = {**_to(person, at), **_OVER}
        wanted = {"notification_id": 1}
        while batch := await self._deliveries.find(over, wanted, hint="by_recipient").limit(BATCH).to_list(BATCH):
            # First the lists that name them: they are found by the deliveries.
            await self._take_off_lists(sorted({one["notification_id"] for one in batch}), person["recipients"], now)
            ids = [one["_id"] for one in batch]
            done = await self._deliveries.update_many({"_id": {"$in": ids}, **_OVER}, empty)
            yield done.modified_count
            if not done.modified_count:
                return

    async def _take_off_lists(self, notifications: Sequence[str], recipients: list[str], now: datetime) -> None:
        update = _taken_off(recipients, now)
        listed = {"audience.to": {"$in": recipients}}
        await self._notifications.update_many({"_id": {"$in": list(notifications)}, **listed}, update)
        paged = self._notifications.find({"_id": {"$in": list(notifications)}, "pages": {"$gt": 0}}, {"_id": 1})
        async for one in paged:
            await self._pages.update_many(
                {"_id": {"$gte": f"{one['_id']}:", "$lt": f"{one['_id']};"}, "members.to": {"$in": recipients}},
                {"$set": {"members.$[theirs]": {"to": ""}}},
                array_filters=[{"theirs.to": {"$in": recipients}}],
            )

    async def _about_them(
        self, person: ErasedPerson, at: datetime, erasure_id: str, now: datetime
    ) -> AsyncIterator[int]:
        for ids in _chunks(await self._about(person, at)):
            whose = {"notification_id": {"$in": ids}}
            waiting = await self._deliveries.distinct("notification_id", {**whose, "status": {"$in": sorted(WAITING)}})
            untold = self._deliveries.find({"announce_at": {"$exists": True}, **whose}, {"notification_id": 1})
            busy = {*waiting, *[one["notification_id"] async for one in untold]}
            over = {"$in": [one for one in ids if one not in busy]}
            # Whom it was sent to is another: who that was goes when it is old.
            empty = removed_contents(now, but=frozenset({"recipient"}), removed_by=erasure_id)
            with_contents = {"notification_id": over, "contents_removed_at": {"$exists": False}, **_OVER}
            yield (await self._deliveries.update_many(with_contents, empty)).modified_count
            planned = {"_id": over, "wake_at": {"$exists": False}, "announce_at": {"$exists": False}}
            empty = emptied("notifications", but=frozenset({"created_by"}), contents_removed_at=now)
            await self._notifications.update_many(planned, empty)

    async def _about(self, person: ErasedPerson, at: datetime) -> list[str]:
        about = {"subject": {"$in": person["subjects"]}, "created_at": {"$lte": at}}
        return [one["_id"] async for one in self._notifications.find(about, {"_id": 1})]

    async def _empty_parked(self, person: ErasedPerson, found: Sequence[str], now: datetime) -> int:
        """What is for others too stays and can be replayed for them; how many had something of the person."""
        patterns = _patterns(person)
        others = 0
        async for one in self._envelopes.find(
            {"_id": {"$in": list(found)}, "routing_key": NotificationRequested.routing_key}, {"body": 1}
        ):
            body = without(one["body"], person["recipients"], patterns)
            if body is not None:
                as_read = {"_id": one["_id"], "body": one["body"]}
                others += (await self._envelopes.update_one(as_read, _rewritten(body))).modified_count
        closed = {"$ne": [{"$type": "$replayed_at"}, "missing"]}
        discarded: Document = {
            "discarded_at": {"$cond": [closed, "$discarded_at", {"$ifNull": ["$discarded_at", now]}]},
            "discarded_by": {"$cond": [closed, "$discarded_by", {"$ifNull": ["$discarded_by", "erasure"]}]},
        }
        update = emptied("parked_envelopes", **discarded)
        theirs = {"_id": {"$in": list(found)}, "body": {"$gt": ""}, "$or": _said_of(person)}
        return others + (await self._envelopes.update_many(theirs, update)).modified_count

    async def _parked(self, person: ErasedPerson) -> AsyncIterator[list[str]]:
        """No index finds a word in a body; what is parked is little."""
        patterns = _said_of(person)
        last = ""
        while page := await self._envelopes.find({"_id": {"$gt": last}}, {"_id": 1}).sort("_id", 1).to_list(BATCH):
            last = page[-1]["_id"]
            within = {"_id": {"$gte": page[0]["_id"], "$lte": last}}
            cursor = self._envelopes.find({**within, "$or": patterns}, {"_id": 1})
            yield [one["_id"] async for one in cursor]


def _may_have(by: str, wanted: str) -> Document:
    """Rows of before have e-mail addresses as they were typed."""
    local, _, _ = wanted.rpartition("@")
    return {by: {"$regex": f"^{re.escape(local)}@", "$options": "i"}} if by == "email" else {by: wanted}


def _addresses(row: Document) -> set[str]:
    """However they are spelled: deliveries go to the one spelling, which the row may not have."""
    found = {row[name] for name in ("phone", "email") if row.get(name)}
    with contextlib.suppress(InvalidEmail):
        return {*found, normalise_email(row.get("email") or "")}
    return found


def _to(person: ErasedPerson, at: datetime) -> Document:
    return {"recipient": {"$in": person["recipients"]}, "accepted_at": {"$lte": at}}


def _patterns(person: ErasedPerson) -> list[str]:
    return mentions(person["recipients"], [row["id"] for row in person["rows"]])


def _said_of(person: ErasedPerson) -> list[Document]:
    """The parked envelopes that speak of somebody, one way or another."""
    found: list[Document] = [{"body": {"$regex": said, "$options": "i"}} for said in _patterns(person)]
    rows = [row["id"] for row in person["rows"]]
    if rows:
        fact = {"$regex": r"^(customer|technician|staff)\."}
        found.append({"routing_key": fact, "body": {"$regex": facts_about(rows)}})
    return found


def _rewritten(body: str) -> Document:
    """Whole for whoever replays it. Its digest stays: should the first one come again, it is known."""
    return {"$set": {"body": body, "body_bytes": len(body.encode())}, "$unset": {"earlier": ""}}


def _taken_off(recipients: Sequence[str], now: datetime) -> list[Document]:
    """The update of a notification whose list names them. Nothing is left of one that is for nobody else."""
    theirs = {"$in": ["$$one.to", list(recipients)]}
    others = {"$filter": {"input": "$audience", "as": "one", "cond": {"$ne": ["$$one.to", ""]}}}
    inline = {"$and": [{"$eq": ["$pages", 0]}, {"$eq": [{"$type": "$audience_query"}, "missing"]}]}
    alone = {"$and": [inline, {"$eq": [{"$size": others}, 0]}]}
    gone: Document = {"subject": "$$REMOVE", "stage": "$$REMOVE", "message": None, "data": None}
    without = {"$cond": [theirs, {"to": ""}, "$$one"]}
    return [
        {"$set": {"audience": {"$map": {"input": "$audience", "as": "one", "in": without}}}},
        {"$set": {name: {"$cond": [alone, value, f"${name}"]} for name, value in gone.items()}},
        {"$set": {"contents_removed_at": {"$cond": [alone, now, "$contents_removed_at"]}}},
    ]


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(ids), BATCH):
        yield ids[at : at + BATCH]
