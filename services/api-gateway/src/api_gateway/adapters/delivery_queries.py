"""From what is asked for to a query that an index answers, newest first.

A delivery's identity begins with the moment its notification was accepted, so one notification and a span of time
are ranges of `_id`, and `_id` descending is newest first in every index that ends with it.
"""

from datetime import datetime
from typing import Any

from api_gateway.application.ports import Selection
from common.mongo.connection import Document

_BEFORE_ALL, _AFTER_ALL = "dlv_", "dlv_g"


def selected(selection: Selection) -> Document:
    """The MongoDB query of a selection."""
    lower, upper = _identities(selection)
    query: Document = {"_id": {"$gte": lower, "$lt": upper}}
    if selection.delivery_id is not None:
        query = {"$and": [{"_id": selection.delivery_id}, query]}
    if selection.statuses:
        statuses: list[str] = [status.value for status in selection.statuses]
        query["status"] = statuses[0] if len(statuses) == 1 else {"$in": statuses}
    if selection.recipient is not None:
        query["recipient"] = selection.recipient
    if selection.type is not None:
        query["type"] = selection.type
    if selection.channel is not None:
        query["channel"] = selection.channel
    if selection.code is not None:
        query["code"] = selection.code
    if selection.provider is not None:
        query["$or"] = [{"attempts.provider": selection.provider}, {"attempt.provider": selection.provider}]
    if selection.dead:
        query |= {
            "dead_at": {"$exists": True},
            "discarded_at": {"$exists": False},
            "contents_removed_at": {"$exists": False},
        }
    return query


def _identities(selection: Selection) -> tuple[str, str]:
    """The smallest identity that may be shown, and the first one above all that may."""
    lower, upper = [_BEFORE_ALL], [_AFTER_ALL]
    if selection.notification_id is not None:
        prefix = selection.notification_id.replace("ntf_", "dlv_", 1)
        lower.append(f"{prefix}-")
        upper.append(f"{prefix}.")
    if selection.since is not None:
        lower.append(_identity_at(selection.since))
    if selection.until is not None:
        upper.append(_identity_at(selection.until))
    if selection.before is not None:
        upper.append(selection.before)
    return max(lower), min(upper)


def _identity_at(moment: datetime) -> Any:
    milliseconds = min(max(int(moment.timestamp() * 1000), 0), 16**12 - 1)
    return f"dlv_{milliseconds:012x}"
