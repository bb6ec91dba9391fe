"""What Wablas is asked besides sending: wablas.com/documentation/api (device, report)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from common.contracts.events import DoubtedAttempt, Report, Reported
from gateway.domain.account import Account
from gateway.domain.answer import Refused
from gateway.domain.device import Device, connection_of, day_of, quota_of
from gateway.domain.dialect import Call, classify, first_text, says_false
from gateway.domain.groups import FoundGroup, NoGroups
from gateway.domain.webhooks import word
from gateway_wablas.domain.dialect import REASONS
from gateway_wablas.domain.webhooks import MEANINGS, NO_GOOD


class WablasEnquiries:
    """Every call is a GET on the account's server."""

    def __init__(self, server: str) -> None:
        self._server = server

    def device(self, account: Account) -> Call:
        """The only call that takes the token in its address."""
        token = account.credential.partition(".")[0]
        return Call(f"{self._server}/api/device/info?{urlencode({'token': token})}", {}, method="GET")

    def read_device(self, content: Mapping[str, Any]) -> Device:
        device = content.get("data")
        if not isinstance(device, Mapping):
            said = first_text(content, "message", "reason", "detail") or "refused without a reason"
            refused = says_false(content.get("status", content.get("Status")))
            return Device(refused=Refused(classify(said, REASONS), said) if refused else None)
        names = frozenset({word(device, "serial"), word(device, "sender")} - {""})
        quota, unlimited = quota_of(device.get("quota"))
        return Device(names, connection_of(device, "status"), quota, unlimited, day_of(device.get("expired_date")))

    def fate(self, account: Account, doubted: DoubtedAttempt, *, last: bool) -> Call | None:  # noqa: ARG002 - the port names it, other providers need it
        """Its report of what carries our reference."""
        address = f"{self._server}/api/report/message?{urlencode({'ref_id': doubted.reference})}"
        return Call(address, {"authorization": account.credential}, method="GET")

    def read_fate(self, content: Mapping[str, Any], doubted: DoubtedAttempt, at: datetime) -> Report | None:
        """One that waits there was taken, which is all that `sent` says; one that is missing may only be late."""
        rows = content.get("message")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, Mapping) and word(row, "ref_id") == doubted.reference:
                return _report(row, doubted, at)
        return None

    def groups(self, account: Account) -> Sequence[Call]:  # noqa: ARG002 - the port names it, other providers need it
        raise NoGroups("Wablas lists no WhatsApp groups; take a group's id from a message that came from it")

    def read_groups(self, content: Mapping[str, Any]) -> Sequence[FoundGroup]:  # noqa: ARG002 - the port names it, other providers need it
        return ()


def _report(row: Mapping[str, Any], doubted: DoubtedAttempt, at: datetime) -> Report:
    state = word(row, "status").lower()
    reported = MEANINGS.get(state, Reported.SENT)
    note = word(row, "note")
    bad = reported in NO_GOOD
    return Report(
        reported=reported,
        at=at,
        reference=doubted.reference,
        message_id=word(row, "id") or None,
        failure=classify(note, REASONS) if bad else None,
        error=(f"{state}: {note}" if note else state) if bad else None,
    )
