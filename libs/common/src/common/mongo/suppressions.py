"""Recipients nobody may contact: who they are, and what happens to what waits for them.

Of somebody who was erased the wish not to be contacted stays, under a keyed digest of the recipient instead of the
recipient: it tells nobody who that was, but is found by whoever comes with the recipient.
"""

from collections.abc import Collection as Several
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import cast

from common.contracts.documents import SuppressionDocument
from common.contracts.vocabulary import OPTED_OUT, DeliveryStatus, SuppressionReason
from common.kernel.identity import new_id
from common.mongo.connection import Document, Mongo, ReturnDocument
from common.mongo.digests import Digests
from common.mongo.ending import NOT_UNDER_WAY, ended

DIGEST = "~"
"""What a digest begins with; it comes after every recipient."""
_WORDS = {
    SuppressionReason.OPT_OUT: "opted out on",
    SuppressionReason.INVALID_NUMBER: "held to be an invalid number since",
    SuppressionReason.BLOCKED: "blocked on",
}


@dataclass(frozen=True)
class Suppressed:
    """The suppression that holds now, whether it is new, and how many waiting deliveries it ended."""

    suppression: SuppressionDocument
    new: bool
    ended: int


class Suppressions:
    """The suppressions, and their effect on deliveries that may be suppressed (`suppressible`).

    A suppression is stored first, then what waits is ended. Whoever claims a delivery looks again after the claim, so
    nothing claimed after the suppression was stored is sent, also when the process dies between the two steps.
    `zone`: the days reasons speak of are days there.
    """

    def __init__(self, mongo: Mongo, zone: tzinfo) -> None:
        self._suppressions = mongo["suppressions"]
        self._deliveries = mongo["deliveries"]
        self._digests = Digests(mongo)
        self._zone = zone

    async def add(self, suppression: SuppressionDocument, *, instead: bool = False) -> Suppressed:
        """Suppress a recipient from now on. One that is there stays, unless this is to stand `instead` of it; doing it
        again changes nothing but ends what has come to wait since.
        """
        wanted: Document = {**suppression}
        identity = wanted.pop("_id")
        listed_as = new_id("sup")
        listed = {"listed_as": listed_as}
        before = await self._suppressions.find_one_and_update(
            {"_id": identity},
            {"$set": wanted, "$setOnInsert": listed} if instead else {"$setOnInsert": {**wanted, **listed}},
            upsert=True,
            return_document=ReturnDocument.BEFORE,
        )
        holds = suppression if before is None or instead else cast("SuppressionDocument", before)
        holds = {**holds, "listed_as": listed_as if before is None else before["listed_as"]}
        number = await self._end_waiting(identity, self.why(holds), now=suppression["created_at"])
        return Suppressed(holds, before is None, number)

    async def lift(self, recipient: str, *, only: SuppressionReason | None = None) -> SuppressionDocument | None:
        """Let a recipient be contacted again; answers what was lifted. `only`: unless it has another reason, so that
        somebody who wants messages again does not lift what a person decided.
        """
        reason: Document = {} if only is None else {"reason": only}
        lifted = None
        for identity in (recipient, await self._digest(recipient)):
            found = await self._suppressions.find_one_and_delete({"_id": identity, **reason})
            lifted = lifted or found
        return cast("SuppressionDocument | None", lifted)

    async def get(self, recipient: str) -> SuppressionDocument | None:
        return (await self.among([recipient])).get(recipient)

    async def conceal(self, recipient: str) -> bool:
        """Keep what holds of a recipient under a digest; whether anything does. Doing it again changes nothing."""
        found = await self._suppressions.find_one({"_id": recipient})
        digest = await self._digest(recipient)
        if found is not None:
            concealed = {**found, "_id": digest, "note": None, "created_by": "erasure"}
            await self._suppressions.replace_one({"_id": digest}, concealed, upsert=True)
            await self._suppressions.delete_one({"_id": recipient, "listed_as": found.get("listed_as")})
        return found is not None or await self._suppressions.find_one({"_id": digest}, {"_id": 1}) is not None

    async def listed(self, listed_as: str) -> SuppressionDocument | None:
        return cast("SuppressionDocument | None", await self._suppressions.find_one({"listed_as": listed_as}))

    async def among(self, recipients: Several[str]) -> dict[str, SuppressionDocument]:
        """Those of the recipients that are suppressed, by recipient."""
        named = {await self._digest(recipient): recipient for recipient in recipients}
        found: dict[str, SuppressionDocument] = {}
        # In this order one that is concealed just now is met under one of its names at least.
        async for one in self._suppressions.find({"_id": {"$in": [*recipients, *named]}}).sort("_id", 1):
            found.setdefault(named.get(one["_id"], one["_id"]), cast("SuppressionDocument", one))
        return found

    async def page(self, before: str | None, limit: int) -> list[SuppressionDocument]:
        """Newest first; `before` is the `listed_as` of the last one of the page before."""
        query: Document = {} if before is None else {"listed_as": {"$lt": before}}
        cursor = self._suppressions.find(query).sort("listed_as", -1).limit(limit)
        return cast("list[SuppressionDocument]", await cursor.to_list(limit))

    def why(self, suppression: SuppressionDocument) -> str:
        """What a delivery's reason says: `opted out on 2025-11-15`."""
        day = suppression["created_at"].astimezone(self._zone)
        return f"{_WORDS[SuppressionReason(suppression['reason'])]} {day:%Y-%m-%d}"

    async def _digest(self, recipient: str) -> str:
        return DIGEST + await self._digests.of(recipient)

    async def _end_waiting(self, recipient: str, reason: str, *, now: datetime) -> int:
        result = await self._deliveries.update_many(
            {
                "recipient": recipient,
                "suppressible": True,
                "status": {"$in": NOT_UNDER_WAY},
            },
            ended(DeliveryStatus.SUPPRESSED, reason=reason, code=OPTED_OUT, cause=reason, now=now),
            hint="by_recipient",
        )
        return result.modified_count
