"""Who calls, and all that answering may need."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.fonnte.failure import FonnteFailure

if TYPE_CHECKING:
    from sandbox.devices import Device, Devices
    from sandbox.fonnte.dialect import FonnteVariants
    from sandbox.ledger import Ledger
    from sandbox.request import Request
    from sandbox.transit import Transit


# docs.fonnte.com words a wrong token in one way on most endpoints; these two were seen to differ over time.
BAD_TOKEN_VARIES = frozenset(["send", "delete-message"])


@dataclass(slots=True, frozen=True)
class Caller:
    """One call to one endpoint."""

    request: "Request"
    is_account: bool
    devices: "Devices"
    variants: "FonnteVariants"
    transit: "Transit"
    ledger: "Ledger"

    def device(self) -> "Device":
        """The device whose token this is, or the refusal of a wrong one."""
        if self.request.device is not None:
            return self.request.device
        if self.is_account:
            raise FonnteFailure("unknown user")
        raise FonnteFailure(self.variants.bad_token if self.request.endpoint in BAD_TOKEN_VARIES else "token invalid")

    def field(self, name: str) -> str:
        """A posted field as text, empty when it is absent."""
        fields: Any = self.request.fields
        return str(fields.get(name, "")) if isinstance(fields, dict) else ""
