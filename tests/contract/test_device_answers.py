"""What providers answer when they are asked about a device: the documented answers, and odd ones from the field."""

from datetime import date
from typing import Any

import pytest

from common.contracts.vocabulary import FailureClass
from gateway.domain.answer import Refused
from gateway.domain.device import Device, day_of
from gateway_fonnte.domain.enquiries import FonnteEnquiries
from gateway_wablas.domain.enquiries import WablasEnquiries

FONNTE = {
    "device": "6281200000009", "device_status": "connect", "expired": "18 November 2029", "messages": 16785,
    "name": "x", "package": "Reguler", "quota": "78", "status": True,
}  # fmt: skip
WABLAS = {
    "name": "x", "serial": "ABC", "sender": "6281200000008", "quota": 91, "expired_date": "2022-04-08",
    "active": True, "status": "connected",
}  # fmt: skip


NAMES, UNTIL = frozenset({"6281200000009"}), date(2029, 11, 18)


@pytest.mark.parametrize(
    ("odd", "read"),
    [
        ({}, Device(NAMES, connected=True, quota=78, expires_on=UNTIL)),
        ({"device_status": "Disconnect"}, Device(NAMES, connected=False, quota=78, expires_on=UNTIL)),
        ({"status": "true", "expired": "1889654400"}, Device(NAMES, connected=True, quota=78, expires_on=UNTIL)),
        ({"quota": "unlimited", "expired": "-"}, Device(NAMES, connected=True, unlimited=True)),
        ({"device": None, "device_status": None, "quota": None, "expired": None}, Device()),
        ({"device_status": "banned", "quota": "many", "expired": [1]}, Device(NAMES)),
    ],
)
def test_fonnte_tells_of_its_device(odd: dict[str, Any], read: Device) -> None:
    assert FonnteEnquiries("https://api.fonnte.com/send").read_device({**FONNTE, **odd}) == read


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ({"status": False, "reason": "invalid token"}, FailureClass.AUTH),
        ({"Status": "false", "reason": "token invalid", "requestid": 1}, FailureClass.AUTH),
        ({"status": False, "detail": "unknown user"}, FailureClass.AUTH),
        ({"status": False, "reason": "request invalid on disconnected device"}, FailureClass.DISCONNECTED),
        ({"status": False}, FailureClass.UNCLASSIFIED),
    ],
)
def test_fonnte_refuses_to_tell(answer: dict[str, Any], failure: FailureClass) -> None:
    device = FonnteEnquiries("https://api.fonnte.com/send").read_device(answer)
    assert (device.connected, device.refused and device.refused.failure) == (None, failure)


@pytest.mark.parametrize(
    ("odd", "connected", "quota", "unlimited"),
    [
        ({}, True, 91, False),
        ({"status": "disconnected", "quota": "0"}, False, 0, False),
        ({"quota": "unlimited", "expired_date": None}, True, None, True),
        ({"status": None, "quota": None}, None, None, False),
        ({"status": "DISCONNECT", "serial": None}, False, 91, False),
    ],
)
def test_wablas_tells_of_its_device(
    odd: dict[str, Any], *, connected: bool | None, quota: int | None, unlimited: bool
) -> None:
    device = WablasEnquiries("https://jogja.wablas.com").read_device({"status": True, "data": {**WABLAS, **odd}})
    assert (device.connected, device.quota, device.unlimited, device.refused) == (connected, quota, unlimited, None)
    assert "6281200000008" in device.names


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ({"status": False, "message": "token invalid or device expired"}, FailureClass.AUTH),
        ({"status": False, "message": "device not found", "data": []}, FailureClass.DISCONNECTED),
        ({"status": True}, None),
        ({"data": "soon"}, None),
    ],
)
def test_wablas_tells_nothing(answer: dict[str, Any], refused: FailureClass | None) -> None:
    device = WablasEnquiries("https://jogja.wablas.com").read_device(answer)
    said = device.refused
    assert (said.failure if isinstance(said, Refused) else None) == refused
    assert (device.names, device.connected, device.quota) == (frozenset(), None, None)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("18 Agustus 2029", date(2029, 8, 18)),
        ("1 Mei 2027", date(2027, 5, 1)),
        ("2029-11-18 23:59:59", date(2029, 11, 18)),
        (1889654400, date(2029, 11, 18)),
        ("31 Februari 2029", None),
        ("18 Nonsense 2029", None),
        ("", None),
        (True, None),
        ("99999999999999999999", None),
    ],
)
def test_a_day_is_read_however_it_is_written(said: object, day: date | None) -> None:
    assert day_of(said) == day
