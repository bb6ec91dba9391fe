"""WhatsApp groups of a device; source: docs.fonnte.com/category/device-api."""

from typing import TYPE_CHECKING, Any

from sandbox.fonnte.failure import FonnteFailure

if TYPE_CHECKING:
    from sandbox.fonnte.caller import Caller

GROUPS = [
    {"id": "120363000000000001@g.us", "name": "Manajemen"},
    {"id": "120363000000000002@g.us", "name": "Tim Lapangan"},
]


def fetch_group(caller: "Caller") -> dict[str, Any]:
    if not caller.device().connected:
        raise FonnteFailure("cannot fetch with disconnected device")
    if caller.variants.groups == "failing":
        raise FonnteFailure("failed to fetch whatsapp group list")
    return {"detail": "update whatsapp group list finished", "status": True}


def get_whatsapp_group(caller: "Caller") -> dict[str, Any]:
    caller.device()
    match caller.variants.groups:
        case "none":
            raise FonnteFailure("you have no whatsapp group yet")
        case "failing":
            raise FonnteFailure("failed to get whatsapp group")
        case "some":
            return {"data": GROUPS, "status": True}
