"""Wablas' `POST /api/v2/send-message`: wablas.com/documentation/api, and what its answers were seen to look like."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from common.contracts.events import AttemptRequest
from common.contracts.vocabulary import FailureClass
from gateway.domain.account import Account
from gateway.domain.answer import Accepted, Answer, Refused
from gateway.domain.dialect import (
    Call,
    Patterns,
    Unsendable,
    classify,
    first_text,
    identity,
    says_false,
    says_true,
    whole_number,
)

MAX_TEXT_CHARS = 1024

REASONS: Patterns = (
    ("disconnect", FailureClass.DISCONNECTED),
    ("scan qr", FailureClass.DISCONNECTED),
    # Before `device`: "token invalid or device expired".
    ("token", FailureClass.AUTH),
    ("secret", FailureClass.AUTH),
    ("authori", FailureClass.AUTH),
    ("whitelist", FailureClass.AUTH),
    ("quota", FailureClass.QUOTA),
    # WhatsApp slows the device down: for a while it cannot send.
    ("463", FailureClass.DISCONNECTED),
    ("overlimit", FailureClass.DISCONNECTED),
    ("too fast", FailureClass.DISCONNECTED),
    ("limit exceeded", FailureClass.DISCONNECTED),
    ("device", FailureClass.DISCONNECTED),
    ("phone", FailureClass.RECIPIENT),
    ("param", FailureClass.MESSAGE),
)
REFUSED_STATES = frozenset({"failed", "reject", "rejected", "cancel"})

_ID = re.compile(rb'"id"\s*:\s*"([0-9A-Za-z-]{8,64})"')
_PHONE = re.compile(r"\d+")
_GROUP = re.compile(r"([\d-]+)@g\.us")


class WablasDialect:
    """One item a call, so that an answer is about one message; `ref_id` finds it again in reports."""

    def __init__(self, send_address: str) -> None:
        self._send_address = send_address

    def write(self, account: Account, request: AttemptRequest) -> Call:
        group = _GROUP.fullmatch(request.recipient)
        if group is None and not _PHONE.fullmatch(request.recipient):
            raise Unsendable("the recipient is neither a number nor a group id")
        item = {
            "phone": group[1] if group else request.recipient,
            "message": request.text,
            "isGroup": "true" if group else "false",
            "ref_id": request.reference,
        }
        headers = {"authorization": account.credential, "content-type": "application/json"}
        return Call(self._send_address, headers, orjson.dumps({"data": [item]}))

    def read(self, content: Mapping[str, Any]) -> Answer | None:
        status = content.get("status", content.get("Status"))
        if says_false(status):
            return _refused(first_text(content, "message", "reason", "detail"))
        if not says_true(status):
            return None
        device = _first(content.get("data"))
        item = _first(device.get("messages", device.get("message")))
        state = item.get("status")
        if says_false(state) or (isinstance(state, str) and state.lower() in REFUSED_STATES):
            return _refused(first_text(item, "message", "reason", "note"))
        return Accepted(identity(item.get("id")), whole_number(device.get("quota")))

    def trace(self, body: bytes) -> str | None:
        found = _ID.search(body)
        return found[1].decode() if found else None


def _refused(said: str | None) -> Refused:
    said = said or "refused without a reason"
    return Refused(classify(said, REASONS), said)


def _first(value: Any) -> Mapping[str, Any]:
    """An object, or the first of a list of them: both forms are documented."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, Mapping) else {}
