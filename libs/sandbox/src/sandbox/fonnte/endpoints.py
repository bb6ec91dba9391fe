"""Every endpoint of Fonnte by its path."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.fonnte.failure import FonnteFailure
from sandbox.fonnte.send import send

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.devices import Device, Devices
    from sandbox.fonnte.dialect import FonnteVariants
    from sandbox.request import Request
    from sandbox.transit import Transit


@dataclass(slots=True, frozen=True)
class Caller:
    """A call and all that answering it may need."""

    request: "Request"
    is_account: bool
    devices: "Devices"
    variants: "FonnteVariants"
    transit: "Transit"

    def device(self) -> "Device":
        """The device whose token this is, or the refusal of a wrong one."""
        if self.request.device is None:
            raise FonnteFailure("unknown user" if self.is_account else self.variants.bad_token)
        return self.request.device


def send_message(caller: Caller) -> dict[str, Any]:
    return send(caller.request, caller.device(), caller.variants, caller.transit)


ENDPOINTS: "dict[str, Callable[[Caller], dict[str, Any]]]" = {
    "send": send_message,
}
