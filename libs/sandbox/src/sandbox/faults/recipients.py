"""Example numbers that always fail in a known way, so that a person can try a failure without the control API.

The number is ``62812000000`` and the two digits of the table. 01 to 49 are always healthy.
"""

from typing import Any

from sandbox.faults.fault import Fault, FaultKind, Page
from sandbox.ledger import ProviderName

NUMBER_BLOCK = "62812000000"

REASONS: dict[ProviderName, dict[str, str]] = {
    ProviderName.FONNTE: {
        "51": "target invalid",
        "52": "request invalid on disconnected device",
        "53": "invalid token",
        "54": "insufficient quota",
        "55": "url unreachable",
        "56": "invalid message request",
    },
    ProviderName.WABLAS: {
        "51": "format phone invalid",
        "52": "device disconnected, need to scan qr code again",
        "53": "token invalid or device expired",
        "54": "quota exceeded",
        "55": "param invalid",
        "56": "device blocked",
    },
}

BEHAVIOURS: dict[str, dict[str, Any]] = {
    "60": {"kind": FaultKind.HANG, "accepted": True},
    "61": {"kind": FaultKind.HANG, "accepted": False},
    "62": {"kind": FaultKind.RESET, "accepted": False},
    "63": {"kind": FaultKind.RESET, "accepted": True},
    "64": {"kind": FaultKind.LATE, "delay_seconds": 5},
    "65": {"kind": FaultKind.TRUNCATE},
    "66": {"kind": FaultKind.DROP},
    "70": {"kind": FaultKind.RESPOND, "page": Page.HTML, "http_status": 200, "accepted": True},
    "71": {"kind": FaultKind.RESPOND, "page": Page.HTML, "http_status": 502},
    "72": {"kind": FaultKind.RESPOND, "page": Page.HTML, "http_status": 504, "accepted": True},
    "73": {"kind": FaultKind.RESPOND, "page": Page.EMPTY, "http_status": 200, "accepted": True},
    "74": {"kind": FaultKind.RESPOND, "page": Page.JSON, "http_status": 500},
    "75": {"kind": FaultKind.RESPOND, "page": Page.JSON, "http_status": 500, "accepted": True},
}


def is_unreachable(number: str) -> bool:
    """Whether a check of that number says that it is not on WhatsApp."""
    return number == NUMBER_BLOCK + "51"


def recipient_faults() -> dict[ProviderName, dict[str, Fault]]:
    """Per provider: full number to fault."""
    return {
        provider: {
            **{
                NUMBER_BLOCK + digits: Fault(kind=FaultKind.REFUSE, provider=provider, reason=reason)
                for digits, reason in reasons.items()
            },
            **{
                NUMBER_BLOCK + digits: Fault(provider=provider, **behaviour) for digits, behaviour in BEHAVIOURS.items()
            },
        }
        for provider, reasons in REASONS.items()
    }
