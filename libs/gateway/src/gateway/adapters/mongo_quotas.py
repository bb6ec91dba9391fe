"""How a sender's quota is kept: what is left, and what there was after the last top-up."""

from common.mongo.connection import Document

OVERTAKEN = 100
"""So many answers may overtake each other: what is left rises by no more without a top-up."""
_BEFORE = {"$ifNull": ["$quota_remaining", None]}
NO_QUOTA: Document = dict.fromkeys(("quota_remaining", "quota_total", "quota_at"), "$$REMOVE")
"""The fields of an update's `$set` stage for a sender that has none to run out of."""


def quota_known(remaining: int) -> Document:
    """The fields of an update's `$set` stage that keep what an answer told."""
    topped_up = {"$and": [{"$isNumber": _BEFORE}, {"$gt": [remaining, {"$add": [_BEFORE, OVERTAKEN]}]}]}
    total = {"$cond": [{"$isNumber": "$quota_total"}, {"$max": ["$quota_total", remaining]}, "$$REMOVE"]}
    return {
        "quota_remaining": remaining,
        "quota_at": "$$NOW",
        "quota_total": {"$cond": [topped_up, remaining, total]},
    }
