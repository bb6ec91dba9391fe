"""Fonnte's `POST /send`: docs.fonnte.com/api-send-message, and what its answers were seen to look like."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

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

MAX_TEXT_CHARS = 4096
"""60,000 by the documentation; refusals above 4096 were reported."""

REASONS: Patterns = (
    ("disconnect", FailureClass.DISCONNECTED),
    ("token", FailureClass.AUTH),
    ("unknown user", FailureClass.AUTH),
    ("must belong", FailureClass.AUTH),
    ("quota", FailureClass.QUOTA),
    ("target", FailureClass.RECIPIENT),
    ("url", FailureClass.MESSAGE),
    ("file", FailureClass.MESSAGE),
    ("body value", FailureClass.BUG),
    ("json", FailureClass.BUG),
    ("input", FailureClass.MESSAGE),
)

_ID = re.compile(rb'"id"\s*:\s*\[\s*"?(\d{1,20})[",\]\s]')
_TARGET = re.compile(r"\d+|[\d-]+@g\.us")
"""A comma or a bar in a target would make several targets or variables of it."""


class FonnteDialect:
    """Forms to the send address; `connectOnly` so that a disconnected device refuses instead of keeping the message."""

    def __init__(self, send_address: str) -> None:
        self._send_address = send_address

    def write(self, account: Account, request: AttemptRequest) -> Call:
        if not _TARGET.fullmatch(request.recipient):
            raise Unsendable("the recipient is neither a number nor a group id")
        form = {"target": request.recipient, "message": request.text, "countryCode": "62", "connectOnly": "true"}
        headers = {"authorization": account.credential, "content-type": "application/x-www-form-urlencoded"}
        return Call(self._send_address, headers, urlencode(form).encode())

    def read(self, content: Mapping[str, Any]) -> Answer | None:
        status = content.get("status", content.get("Status"))
        if says_true(status):
            return Accepted(_message_id(content.get("id")), _quota_remaining(content.get("quota")))
        reason = first_text(content, "reason", "detail", "message")
        if says_false(status):
            said = reason or "refused without a reason"
            return Refused(classify(said, REASONS), said)
        return None

    def trace(self, body: bytes) -> str | None:
        found = _ID.search(body)
        return found[1].decode() if found else None


def _message_id(value: Any) -> str | None:
    """One target was asked for, so the first id is ours."""
    if isinstance(value, list):
        value = value[0] if value else None
    return identity(value)


def _quota_remaining(value: Any) -> int | None:
    """`{"<device's number>": {"remaining": …}}`; the key's spelling differs between accounts."""
    if not isinstance(value, Mapping):
        return None
    counts = (whole_number(one.get("remaining")) for one in value.values() if isinstance(one, Mapping))
    return next((count for count in counts if count is not None), None)
