"""A provider call after parsing, and what a simulated provider can be asked."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sandbox.devices import Device
    from sandbox.ledger import Call, ProviderName
    from sandbox.wire.exchange import Answer, Exchange


@dataclass(slots=True)
class Request:
    """One call to a provider. ``endpoint`` is the path below the provider's prefix, ``encoding`` of the body is
    ``form``, ``multipart``, ``json`` or ``none``; ``fields`` is the decoded body (any JSON value) or query.
    """

    exchange: "Exchange"
    call: "Call"
    endpoint: str
    sends: bool
    token: str = ""
    device: "Device | None" = None
    encoding: str = "none"
    fields: Any = None
    recipients: list[str] = field(default_factory=list)


class Provider(Protocol):
    """A simulated provider: it reads a call, and answers or refuses it in its own dialect."""

    name: "ProviderName"

    def read(self, exchange: "Exchange") -> Request:
        """Parse the call and enter it in the ledger; never raises, a broken body is answered later."""
        ...

    def answer(self, request: Request) -> "Answer":
        """Carry the call out as the real provider would, accepted messages included."""
        ...

    def refuse(self, request: Request, reason: str, http_status: int | None) -> "Answer":
        """The provider's refusal with that reason; without a status the one seen in the field."""
        ...
