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


MAILBOXES: dict[str, dict[str, Any]] = {
    "smtp-421": {"kind": FaultKind.REFUSE, "http_status": 421, "reason": "4.3.2 service shutting down"},
    "smtp-450": {"kind": FaultKind.REFUSE, "http_status": 450, "reason": "4.2.1 mailbox busy, try again later"},
    "smtp-550": {"kind": FaultKind.REFUSE, "http_status": 550, "reason": "5.1.1 no such user here"},
    "smtp-554": {"kind": FaultKind.REFUSE, "http_status": 554, "reason": "5.7.1 message looks like spam"},
    "smtp-hang": {"kind": FaultKind.HANG, "accepted": True},
    "smtp-drop": {"kind": FaultKind.DROP},
}
"""The same for e-mail, at ``@example.com``."""


def is_unreachable(number: str) -> bool:
    """Whether a check of that number says that it is not on WhatsApp."""
    return number == NUMBER_BLOCK + "51"


def recipient_faults() -> dict[ProviderName, dict[str, Fault]]:
    """Per provider: full number to fault."""
    whatsapp = {
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
    by_mail = {
        f"{name}@example.com": Fault(provider=ProviderName.EMAIL, **behaviour) for name, behaviour in MAILBOXES.items()
    }
    return {**whatsapp, ProviderName.EMAIL: by_mail}
