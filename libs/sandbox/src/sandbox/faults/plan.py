"""Which call is hit by which fault."""

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.faults.fault import Fault
    from sandbox.ledger import Call, ProviderName


class Asked(Protocol):
    """What a fault looks at to know whether it is meant."""

    @property
    def call(self) -> "Call": ...

    @property
    def endpoint(self) -> str: ...

    @property
    def sends(self) -> bool: ...

    @property
    def token(self) -> str: ...

    @property
    def recipients(self) -> list[str]: ...


@dataclass(slots=True)
class Armed:
    """A fault in force: how often it may still pass and hit, and how often it hit."""

    id: int
    fault: "Fault"
    skips_left: int
    hits_left: int | None
    chance: Random
    hits: int = 0

    def strikes(self, request: Asked) -> bool:
        """Whether this call is hit; counts it."""
        if not _matches(self.fault, request) or self.hits_left == 0:
            return False
        if self.skips_left:
            self.skips_left -= 1
            return False
        if self.fault.share < 1 and self.chance.random() >= self.fault.share:
            return False
        if self.hits_left is not None:
            self.hits_left -= 1
        self.hits += 1
        return True


@dataclass(slots=True)
class FaultPlan:
    """Faults in the order of their arming; the first that strikes decides. Then the table of recipients."""

    by_recipient: "Mapping[ProviderName, Mapping[str, Fault]]"
    recipient_faults: bool = True
    armed: list[Armed] = field(default_factory=list)
    next_id: int = 1

    def arm(self, fault: "Fault") -> Armed:
        # Not cryptography: a seeded share must hit the same calls in every run.
        armed = Armed(self.next_id, fault, fault.skip, fault.times, Random(fault.seed))  # noqa: S311
        self.next_id += 1
        self.armed.append(armed)
        return armed

    def disarm(self, *, fault_id: int | None = None, provider: "ProviderName | None" = None) -> int:
        """Take faults away (all, one, or a provider's); answers how many."""
        kept = [
            armed
            for armed in self.armed
            if (fault_id is not None and armed.id != fault_id)
            or (provider is not None and armed.fault.provider is not provider)
        ]
        gone = len(self.armed) - len(kept)
        self.armed = kept
        return gone

    def choose(self, request: Asked) -> "Fault | None":
        """The fault that hits this call, if any."""
        for armed in self.armed:
            if armed.strikes(request):
                return armed.fault
        if self.recipient_faults and request.sends:
            table = self.by_recipient[request.call.provider]
            for recipient in request.recipients:
                if recipient in table:
                    return table[recipient]
        return None


def _matches(fault: "Fault", request: Asked) -> bool:
    return (
        fault.provider is request.call.provider
        and (
            fault.endpoint == "any"
            or (request.sends if fault.endpoint == "send" else fault.endpoint == request.endpoint)
        )
        and (fault.device is None or fault.device == request.call.device)
        and (fault.token is None or fault.token == request.token)
        and (fault.recipient is None or fault.recipient in request.recipients)
    )
