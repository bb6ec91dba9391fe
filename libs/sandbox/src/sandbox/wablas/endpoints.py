"""Every endpoint of Wablas by its method and path."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.wablas.send import send_batch, send_single
from sandbox.wire.exchange import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.devices import Device
    from sandbox.ledger import Ledger
    from sandbox.request import Request
    from sandbox.transit import Transit
    from sandbox.wablas.dialect import WablasVariants


@dataclass(slots=True, frozen=True)
class Caller:
    """An authorised call and all that answering it may need."""

    request: "Request"
    device: "Device"
    variants: "WablasVariants"
    ledger: "Ledger"
    transit: "Transit"


def send_v2(caller: Caller) -> Answer:
    return Answer.json(send_batch(caller.request, caller.device, caller.variants, caller.transit))


def send_v1(caller: Caller) -> Answer:
    return Answer.json(send_single(caller.request, caller.device, caller.variants, caller.transit))


SENDING = frozenset(["api/v2/send-message", "api/send-message"])

ENDPOINTS: "dict[tuple[str, str], Callable[[Caller], Answer]]" = {
    ("POST", "api/v2/send-message"): send_v2,
    ("POST", "api/send-message"): send_v1,
    ("GET", "api/send-message"): send_v1,
}


def find_endpoint(method: str, path: str) -> "Callable[[Caller], Answer] | None":
    """The endpoint of that method and path, if there is one."""
    return ENDPOINTS.get((method, path))
