"""End deliveries that are not to go on; what is under way is left to its attempt and called off after it."""

from collections.abc import Sequence
from datetime import datetime

from common.contracts.vocabulary import UNTOLD, WAITING, AttemptState, DeliveryStatus
from common.kernel.identity import deliveries_of
from common.mongo.connection import Collection, Document

NOT_UNDER_WAY: Sequence[str] = (DeliveryStatus.QUEUED, DeliveryStatus.SCHEDULED)


def ended(status: DeliveryStatus, *, reason: str, cause: str, now: datetime) -> list[Document]:
    """The update that ends a waiting delivery; as unknown when one of its attempts may have arrived: nothing takes
    that back. `reason` is what it is ended for, `cause` what its timeline says.
    """
    unknown = {"$in": [AttemptState.UNKNOWN.value, "$attempts.outcome"]}

    def either(then: str, otherwise: str | None) -> Document:
        return {"$cond": [unknown, {"$literal": then}, {"$literal": otherwise}]}

    end = either(DeliveryStatus.UNKNOWN.value, status.value)
    entry = {"at": now, "status": end, "cause": {"$literal": cause}}
    return [
        {
            "$set": {
                "status": end,
                "reason": either(UNTOLD, reason),
                "code": either("UNKNOWN", None),
                "called_off": {"$literal": reason},
                "timeline": {"$concatArrays": ["$timeline", [entry]]},
                "revision": {"$add": ["$revision", 1]},
            }
        },
        {"$unset": ["lane", "wake_at"]},
    ]


async def cancel_all(
    deliveries: Collection, notification_id: str, *, reason: str, cause: str, now: datetime, **only: Document
) -> int:
    """Cancel all there is of a notification, or `only` what holds these fields besides; how many waited and are ended.

    Looking for a status misses what changes between two of them just then. So everything that is not over is called
    off first, found by its identity, which never changes: nothing called off goes back to wait. Then what waits ends.
    """
    first, after = deliveries_of(notification_id)
    of_it = {**only, "_id": {"$gte": first, "$lt": after}}
    await deliveries.update_many(
        {**of_it, "status": {"$in": list(WAITING)}, "called_off": {"$exists": False}},
        {"$set": {"called_off": reason}, "$inc": {"revision": 1}},
        hint="_id_",
    )
    result = await deliveries.update_many(
        {**of_it, "status": {"$in": NOT_UNDER_WAY}},
        ended(DeliveryStatus.CANCELLED, reason=reason, cause=cause, now=now),
        hint="_id_",
    )
    return result.modified_count
