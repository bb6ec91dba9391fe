"""What Fonnte is asked besides sending: docs.fonnte.com/category/device-api."""

from collections.abc import Mapping
from typing import Any

from gateway.domain.account import Account
from gateway.domain.dialect import Call
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

    def _call(self, account: Account, path: str, body: bytes = b"") -> Call:
        return Call(f"{self._server}/{path}", {"authorization": account.credential, "content-type": FORM}, body)
