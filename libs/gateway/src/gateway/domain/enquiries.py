"""What a provider is asked besides being asked to send."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from common.contracts.events import DoubtedAttempt, Report
from gateway.domain.account import Account
from gateway.domain.device import Device
from gateway.domain.dialect import Call
from gateway.domain.groups import FoundGroup


class Enquiries(Protocol):
    """How one provider is asked, and how its answers read. Pure."""

    def device(self, account: Account) -> Call:
        """Which device an account is, and how it is."""
        ...

    def read_device(self, content: Mapping[str, Any]) -> Device:
        """What the answer says of it, however little that is."""
        ...

    def fate(self, account: Account, doubted: DoubtedAttempt, *, last: bool) -> Call | None:
        """What became of an attempt, or the call that takes it back; `None` when the provider cannot be asked."""
        ...

    def read_fate(self, content: Mapping[str, Any], doubted: DoubtedAttempt, at: datetime) -> Report | None:
        """What the answer proves of the attempt; `None` when it proves nothing."""
        ...

    def groups(self, account: Account) -> Sequence[Call]:
        """The calls to make one after the other; the last one's answer lists the groups. Raises `NoGroups`."""
        ...

    def read_groups(self, content: Mapping[str, Any]) -> Sequence[FoundGroup]:
        """What one of these answers lists. Raises `NoGroups` when it refuses."""
        ...


def plain(device: str) -> str:
    """A device's name in one spelling: numbers come with `0` or `62`."""
    device = device.strip().lstrip("+").lower()
    return f"62{device[1:]}" if device.startswith("08") and device.isdecimal() else device
