"""What Fonnte is asked besides sending: docs.fonnte.com/category/device-api."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from common.contracts.events import DoubtedAttempt, Report, Reported
from common.contracts.vocabulary import FailureClass
from common.kernel.phone import is_group
from gateway.domain.account import Account
from gateway.domain.answer import Refused
from gateway.domain.device import Device, connection_of, day_of, quota_of
from gateway.domain.dialect import Call, classify, first_text, says_false, says_true
from gateway.domain.groups import FoundGroup, NoGroups
from gateway.domain.webhooks import word
from gateway_fonnte.domain.dialect import REASONS

NO_GROUP = "no whatsapp group"
TOO_LATE = "cannot delete message with status"
"""Followed by `processing`, `sent` …: it was taken, and goes out or went out."""
FORM = "application/x-www-form-urlencoded"


class FonnteEnquiries:
    """Every call is a POST beside the send address."""

    def __init__(self, send_address: str) -> None:
        self._server = send_address.removesuffix("/").removesuffix("/send")

    def device(self, account: Account) -> Call:
        return self._call(account, "device")

    def read_device(self, content: Mapping[str, Any]) -> Device:
        """`expired` is a day in the account's language, `quota` a text."""
        names = frozenset({word(content, "device")} - {""})
        connected = connection_of(content, "device_status")
        if connected is None and says_false(content.get("status", content.get("Status"))):
            said = first_text(content, "reason", "detail", "message") or "refused without a reason"
            return Device(names, refused=Refused(classify(said, REASONS), said))
        quota, unlimited = quota_of(content.get("quota"))
        return Device(names, connected, quota, unlimited, day_of(content.get("expired")))

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
        if TOO_LATE in said:  # a webhook that says `failed` afterwards still corrects it
            return self._report(Reported.SENT, doubted, at)
        return None

    def groups(self, account: Account) -> Sequence[Call]:
        """The list is renewed first; too often, and the number may be banned."""
        return [self._call(account, "fetch-group"), self._call(account, "get-whatsapp-group")]

    def read_groups(self, content: Mapping[str, Any]) -> Sequence[FoundGroup]:
        if not says_true(content.get("status")):
            said = first_text(content, "detail", "reason", "message") or "refused without a reason"
            if NO_GROUP in said.lower():
                return ()
            raise NoGroups(said)
        rows = content.get("data")
        listed = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
        return [FoundGroup(word(row, "id"), word(row, "name") or word(row, "id")) for row in listed if _is_id(row)]

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


def _is_id(row: Mapping[str, Any]) -> bool:
    return is_group(word(row, "id"))
