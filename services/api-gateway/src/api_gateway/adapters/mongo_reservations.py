"""Idempotency keys in MongoDB: `state` is running, abandoned or done."""

import zlib
from collections.abc import Sequence
from datetime import datetime

from api_gateway.adapters.grouped import Grouped, persistently
from api_gateway.adapters.mongo_notifications import insert_once
from api_gateway.application.ports import Answer, Reservation
from common.mongo.connection import DUPLICATE_KEY, BulkWriteError, Document, Mongo, UpdateOne

MOST_GIVEN_UP = 10_000
NOTED_AT_ONCE = 500
RUNNING, ABANDONED, DONE = "running", "abandoned", "done"


class MongoReservations:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._keys = mongo["idempotency_keys"]
        self._given_up: dict[str, Reservation] = {}
        self.reserving: Grouped[Reservation, Reservation] = Grouped(self._reserve, mongo)
        self.settling: Grouped[UpdateOne, None] = Grouped(self._settle, mongo)

    async def reserve(self, wanted: Reservation) -> Reservation:
        return await self.reserving.put(wanted)

    async def take_over(self, found: Reservation, wanted: Reservation) -> bool:
        async def take() -> bool:
            result = await self._keys.update_one(
                {
                    "_id": found.key,
                    "$or": [{"token": found.token, "reserved_at": found.reserved_at}, {"token": wanted.token}],
                    "state": {"$ne": DONE},
                },
                {"$set": {"token": wanted.token, "reserved_at": wanted.reserved_at, "state": RUNNING}},
            )
            return result.matched_count == 1

        return await persistently(take, self._mongo)

    async def renew(self, mine: Reservation, at: datetime) -> None:
        await self.settling.put(UpdateOne(_own(mine), {"$set": {"reserved_at": at}}))

    async def complete(self, mine: Reservation, answer: Answer) -> None:
        done = {
            "state": DONE,
            "status": answer.status,
            "location": answer.location,
            "body": zlib.compress(answer.body, 1),
        }
        await self.settling.put(UpdateOne(_own(mine), {"$set": done}))

    async def release(self, mine: Reservation) -> None:
        await persistently(lambda: self._keys.delete_one(_own(mine)), self._mongo)

    def abandon(self, mine: Reservation) -> None:
        self._given_up[mine.token] = mine
        if len(self._given_up) > MOST_GIVEN_UP:
            del self._given_up[next(iter(self._given_up))]  # it is taken over when it is old enough

    async def note_given_up(self) -> bool:
        """Write down what was given up while MongoDB was away; `True` while there is more.

        An insert whose answer never came may still be on its way: written as if it had arrived, it cannot come after.
        """
        noted = list(self._given_up.values())[:NOTED_AT_ONCE]
        if not noted or not self._mongo.ready:
            return False
        updates = [
            UpdateOne(_own(mine), {"$set": _document(mine) | {"state": ABANDONED}}, upsert=True) for mine in noted
        ]
        try:
            await self._keys.bulk_write(updates, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != DUPLICATE_KEY for one in error.details.get("writeErrors", [])):
                raise  # a duplicate is somebody else's reservation by now
        for mine in noted:
            self._given_up.pop(mine.token, None)
        return bool(self._given_up)

    async def _reserve(self, wanted: Sequence[Reservation]) -> Sequence[Reservation]:
        mine = {reservation.key: reservation for reservation in reversed(wanted)}
        taken = await insert_once(self._keys, [_document(reservation) for reservation in mine.values()])
        holders = dict(mine)
        if taken:
            async for document in self._keys.find({"_id": {"$in": taken}}):
                holders[document["_id"]] = _reservation(document)
        return [holders[reservation.key] for reservation in wanted]

    async def _settle(self, updates: Sequence[UpdateOne]) -> Sequence[None]:
        await self._keys.bulk_write(list(updates), ordered=False)
        return [None] * len(updates)


def _own(mine: Reservation) -> Document:
    return {"_id": mine.key, "token": mine.token}


def _document(reservation: Reservation) -> Document:
    return {
        "_id": reservation.key,
        "fingerprint": reservation.fingerprint,
        "resource_id": reservation.resource_id,
        "token": reservation.token,
        "state": RUNNING,
        "reserved_at": reservation.reserved_at,
        "created_at": reservation.created_at,
    }


def _reservation(document: Document) -> Reservation:
    answer = None
    if document["state"] == DONE:
        answer = Answer(document["status"], zlib.decompress(document["body"]), document["location"])
    return Reservation(
        document["_id"],
        document["fingerprint"],
        document["resource_id"],
        document["token"],
        document["reserved_at"],
        document["created_at"],
        document["state"] == ABANDONED,
        answer,
    )
