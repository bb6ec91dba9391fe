"""Who calls, and all that answering may need."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.wire.forms import read_urlencoded

if TYPE_CHECKING:
    from sandbox.devices import Device
    from sandbox.ledger import Ledger
    from sandbox.request import Request
    from sandbox.transit import Transit
    from sandbox.wablas.dialect import WablasVariants


@dataclass(slots=True, frozen=True)
class Caller:
    """One authorised call to one endpoint; ``rest`` is what follows the endpoint in the path."""

    request: "Request"
    device: "Device"
    variants: "WablasVariants"
    ledger: "Ledger"
    transit: "Transit"
    rest: str = ""

    def query(self) -> dict[str, Any]:
        return read_urlencoded(self.request.exchange.query)

    def fields(self) -> dict[str, Any]:
        """Body and query in one."""
        posted = self.request.fields
        return {**self.query(), **(posted if isinstance(posted, dict) else {})}
