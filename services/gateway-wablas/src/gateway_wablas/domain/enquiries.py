"""What Wablas is asked besides sending: wablas.com/documentation/api (device, report)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from gateway.domain.account import Account
from gateway.domain.dialect import Call
from gateway.domain.webhooks import word


class WablasEnquiries:
    """Every call is a GET on the account's server."""

    def __init__(self, server: str) -> None:
        self._server = server

    def device(self, account: Account) -> Call:
        """The only call that takes the token in its address."""
        token = account.credential.partition(".")[0]
        return Call(f"{self._server}/api/device/info?{urlencode({'token': token})}", {}, method="GET")

    def read_device(self, content: Mapping[str, Any]) -> frozenset[str]:
        device = content.get("data")
        if not isinstance(device, Mapping):
            return frozenset()
        return frozenset({word(device, "serial"), word(device, "sender")} - {""})
