"""End deliveries that are not to go on; what is under way is left to its attempt and called off after it."""

from collections.abc import Sequence
from datetime import datetime

from common.contracts.vocabulary import UNTOLD, WAITING, AttemptState, DeliveryStatus
from common.kernel.identity import deliveries_of
from common.mongo.connection import Collection, Document

AT_ONCE = 5_000
NOT_UNDER_WAY: Sequence[str] = (DeliveryStatus.QUEUED, DeliveryStatus.SCHEDULED)


def ended(status: DeliveryStatus, *, reason: str, cause: str, now: datetime, code: str | None = None) -> list[Document]:
    """The update that ends a waiting delivery; as unknown when one of its attempts may have arrived: nothing takes
    that back. `reason` and `code` say what it is ended for, also if word of such an attempt comes later; `cause` is
    what its timeline says.
    """
    unknown = {"$in": [AttemptState.UNKNOWN.value, "$attempts.outcome"]}

    def either(then: str, otherwise: str | None) -> Document:
        return {"$cond": [unknown, {"$literal": then}, {"$literal": otherwise}]}

    end = either(DeliveryStatus.UNKNOWN.value, status.value)
    revision = {"$add": ["$revision", 1]}
    entry = {"at": now, "status": end, "cause": {"$literal": cause}, "revision": revision}
    return [
        {
            "$set": {
                "status": end,
                "reason": either(UNTOLD, reason),
                "code": either("UNKNOWN", code),
                "called_off": {"$literal": reason},
                "called_off_code": {"$literal": code},
                "timeline": {"$concatArrays": ["$timeline", [entry]]},
                "revision": revision,
                "dead_at": {"$cond": [unknown, now, "$$REMOVE"]},
                "announce_at": {"$min": ["$announce_at", now]},  # the dispatcher's sweeper tells others
            }
        },
        {"$unset": ["lane", "wake_at"]},
    ]


async def cancel_all(
    deliveries: Collection, notification_id: str, *, reason: str, cause: str, now: datetime, **only: Document
) -> int:
    """Cancel all there is of a notification, or `only` what holds these fields besides; how many waited and are ended.

    What waits ends first, as it was planned, no more at once than is done in a moment. Looking for a status misses what
    changes between two of them just then, so whatever is not over after that is called off, found by its identity,
    which never changes: nothing that is called off goes back to wait. What had come back before ends last.
    """
    end = ended(DeliveryStatus.CANCELLED, reason=reason, cause=cause, now=now)
    waiting = {"$in": NOT_UNDER_WAY}
    in_line: Document = {**only, "notification_id": notification_id, "status": waiting}
    cancelled = 0
    while ids := [one["_id"] async for one in deliveries.find(in_line, {"_id": 1}, limit=AT_ONCE)]:
        changed = (await deliveries.update_many({"_id": {"$in": ids}, "status": waiting}, end)).modified_count
        cancelled += changed
        if not changed:
            break
    first, after = deliveries_of(notification_id)
    of_it = {**only, "_id": {"$gte": first, "$lt": after}}
    await deliveries.update_many(
        {**of_it, "status": {"$in": list(WAITING)}, "called_off": {"$exists": False}},
        {"$set": {"called_off": reason}, "$inc": {"revision": 1}},
        hint="_id_",
    )
    come_back = await deliveries.update_many({**of_it, "status": waiting}, end, hint="_id_")
    return cancelled + come_back.modified_count
