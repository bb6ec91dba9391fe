"""Notifications as the API stores them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from common.contracts.documents import AudienceMember, NotificationDocument
from common.contracts.vocabulary import NotificationStatus, OnUnknown, Priority
from common.kernel.identity import new_id
from common.mongo.connection import Mongo

ROUTE = ["fonnte", "wablas"]


def member(number: int, **own: Any) -> AudienceMember:
    """`62812000000xx`, or longer once there are more than a hundred."""
    return cast("AudienceMember", {"to": recipient(number), **own})


def recipient(number: int) -> str:
    return f"62812000000{number:02d}" if number < 100 else f"62812{number:08d}"


def notification(audience: Sequence[AudienceMember] | int = 1, **changed: Any) -> NotificationDocument:
    """An accepted notification to an audience, or to so many recipients; `validity` in seconds."""
    created = changed.pop("created_at", None) or datetime.now(UTC)
    validity = float(changed.pop("validity", 86_400.0))
    members = [member(n) for n in range(audience)] if isinstance(audience, int) else list(audience)
    document: dict[str, Any] = {
        "_id": new_id("ntf"),
        "type": "custom",
        "channels": ["whatsapp"],
        "priority": Priority.NORMAL,
        "message": "Halo",
        "data": None,
        "audience": members,
        "pages": 0,
        "planned_pages": 0,
        "recipients": len(members),
        "providers": ROUTE,
        "direct": False,
        "on_unknown": OnUnknown.RESEND,
        "unknown_wait_seconds": 60.0,
        "send_at": None,
        "expires_at": created + timedelta(seconds=validity),
        "validity_seconds": validity,
        "status": NotificationStatus.ACCEPTED,
        "wake_at": created + timedelta(seconds=2),
        "estimated_finish": None,
        "created_by": "test",
        "created_at": created,
    }
    return cast("NotificationDocument", {**document, **changed})


async def lapse(mongo: Mongo, made: NotificationDocument) -> None:
    """Time passes until the lease of whoever plans it is over."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    await mongo["notifications"].update_one({"_id": made["_id"]}, {"$set": {"wake_at": past, "planning.until": past}})
