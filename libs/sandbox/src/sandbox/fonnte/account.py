"""Devices of the account; source: docs.fonnte.com/category/device-api."""

from typing import TYPE_CHECKING, Any

from sandbox.fonnte.failure import FonnteFailure

if TYPE_CHECKING:
    from sandbox.devices import Device
    from sandbox.fonnte.caller import Caller

EXPIRED = "18 November 2029"
EXPIRED_UNIX = "1889654400"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def device(caller: "Caller") -> dict[str, Any]:
    """The device's own view, which may lag behind what sending meets."""
    asked = caller.device()
    return {
        "device": asked.number,
        "device_status": _status(_reported(asked, caller)),
        "expired": EXPIRED,
        "messages": asked.used,
        "name": asked.name,
        "package": "Reguler",
        "quota": str(asked.quota),
        "status": True,
    }


def _reported(device: "Device", caller: "Caller") -> bool:
    lagging = caller.transit.clock.now() - device.changed_at < caller.variants.device_lag_seconds
    return device.connected != lagging


def _status(connected: bool) -> str:  # noqa: FBT001  # a state, put into words
    return "connect" if connected else "disconnect"


def get_devices(caller: "Caller") -> dict[str, Any]:
    """All devices with their tokens; wants the account's token."""
    if not caller.is_account:
        raise FonnteFailure("unknown user")
    rows = [
        {
            "autoread": "on",
            "device": entry.number,
            "expired": EXPIRED_UNIX,
            "name": entry.name,
            "package": "Reguler",
            "quota": str(entry.quota),
            "status": _status(entry.connected),
            "token": entry.token,
        }
        for entry in caller.devices
    ]
    return {
        "connected": sum(entry.connected for entry in caller.devices),
        "data": rows,
        "devices": len(rows),
        "messages": sum(entry.used for entry in caller.devices),
        "status": True,
        "type": "device",
    }


def qr(caller: "Caller") -> dict[str, Any]:
    if caller.device().connected:
        raise FonnteFailure("device already connect")
    return {"status": True, "url": PIXEL}


def disconnect(caller: "Caller") -> dict[str, Any]:
    asked = caller.device()
    if not asked.connected:
        raise FonnteFailure("device already disconnected")
    asked.set_connected(False)  # a state, set as one
    return {"detail": "device disconnected", "status": True}
