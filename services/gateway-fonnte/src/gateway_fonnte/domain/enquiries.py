"""What Fonnte is asked besides sending: docs.fonnte.com/category/device-api."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from common.contracts.events import DoubtedAttempt, Report, Reported
from common.contracts.vocabulary import FailureClass
from gateway.domain.account import Account
from gateway.domain.dialect import Call, first_text, says_true
from gateway.domain.webhooks import word

FORM = "application/x-www-form-urlencoded"


class FonnteEnquiries:
    """Every call is a POST beside the send address."""

    def __init__(self, send_address: str) -> None:
        self._server = send_address.removesuffix("/").removesuffix("/send")

    def device(self, account: Account) -> Call:
        return self._call(account, "device")

    def read_device(self, content: Mapping[str, Any]) -> frozenset[str]:
        return frozenset({word(content, "device")} - {""})

    def fate(self, account: Account, doubted: DoubtedAttempt, *, last: bool) -> Call | None:
        """Fonnte cannot be asked for the state of a message, but a message it still keeps can be deleted: then it was
        not sent and never will be. That is done at the last moment, as until then it may go out.
        """
        if not last or doubted.provider_message_id is None:
            return None
        return self._call(account, "delete-message", urlencode({"id": doubted.provider_message_id}).encode())

    def read_fate(self, content: Mapping[str, Any], doubted: DoubtedAttempt, at: datetime) -> Report | None:
        said = (first_text(content, "reason", "detail", "message") or "").lower()
        if says_true(content.get("status")):
            return self._report(Reported.NOT_SENT, doubted, at, error="deleted before it was sent")
        if said.endswith("status sent"):
            return self._report(Reported.SENT, doubted, at)
        return None

    def _report(self, reported: Reported, doubted: DoubtedAttempt, at: datetime, error: str | None = None) -> Report:
        failure = FailureClass.DISCONNECTED if error else None
        return Report(
            reported=reported,
            at=at,
            reference=doubted.reference,
            message_id=doubted.provider_message_id,
            failure=failure,
            error=error,
        )

    def _call(self, account: Account, path: str, body: bytes = b"") -> Call:
        return Call(f"{self._server}/{path}", {"authorization": account.credential, "content-type": FORM}, body)
