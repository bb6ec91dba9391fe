"""The device and numbers; source: wablas.com/documentation/api (device, check number)."""

import re
from typing import TYPE_CHECKING

from sandbox.faults.recipients import is_unreachable
from sandbox.transit import Pace
from sandbox.wablas.dialect import BAD_PARAMETER, WablasFailure
from sandbox.wablas.send import device_id, to_international
from sandbox.wire.exchange import Answer

if TYPE_CHECKING:
    from sandbox.wablas.caller import Caller

SLOWEST, FASTEST, BATCH = 120, 10, 5


def device_info(caller: "Caller") -> Answer:
    device = caller.device
    content = {
        "name": device.name,
        "serial": device_id(device),
        "sender": device.number,
        "quota": "unlimited" if caller.variants.quota == "unlimited" else device.quota,
        "expired_date": "2029-11-18",
        "active": True,
        "status": "connected" if device.connected else "disconnected",
    }
    return Answer.json({"status": True, "data": content})


def device_speed(caller: "Caller") -> Answer:
    """Seconds per batch of five messages, 10 to 120 (the field's name is assumed)."""
    seconds = str(caller.fields().get("speed", ""))
    if not re.fullmatch(r"\d{2,3}", seconds, re.ASCII) or not FASTEST <= int(seconds) <= SLOWEST:
        raise WablasFailure(BAD_PARAMETER)
    caller.transit.pace = Pace(float(seconds), BATCH)
    return Answer.json({"status": True, "message": "Speed has been changed"})


def disconnect(caller: "Caller") -> Answer:
    caller.device.set_connected(False)  # a state, set as one
    return Answer.json({"status": True, "message": "Device has been disconnected"})


def check_phone_number(caller: "Caller") -> Answer:
    """Which numbers are on WhatsApp; served by a host of its own, hence outside ``/api``."""
    phones = [to_international(phone) for phone in str(caller.query().get("phones", "")).split(",") if phone]
    if not phones:
        raise WablasFailure(BAD_PARAMETER)
    rows = [{"phone": phone, "status": "offline" if is_unreachable(phone) else "online"} for phone in phones]
    return Answer.json({"status": "success", "data": rows, "message": "Success"})
