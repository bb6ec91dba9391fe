"""The senders: a token is one device with its own number, connection and quota."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.ledger import ProviderName

LARGE_QUOTA = 1_000_000


def fingerprint(token: str) -> str:
    """A token's first 8 hexadecimal digits of SHA-256: tells tokens apart without showing one."""
    return sha256(token.encode()).hexdigest()[:8]


def _nobody_listens(_: "Device") -> None:
    """A device of its own."""


@dataclass(slots=True)
class Device:
    """One sender. ``quota`` is messages left, ``secret`` is Wablas' second half of the credential.

    ``drops_after`` counts down with every accepted message and disconnects the device at zero (a mid-blast drop).
    ``changed_at`` is when ``connected`` last changed, on the simulation's clock; ``changed`` hears of every change.
    """

    provider: "ProviderName"
    name: str
    number: str
    token: str
    secret: str = ""
    connected: bool = True
    changed_at: float = 0.0
    quota: int = LARGE_QUOTA
    used: int = 0
    drops_after: int | None = None
    fingerprint: str = ""
    changed: "Callable[[Device], None]" = field(default=_nobody_listens)

    def __post_init__(self) -> None:
        self.fingerprint = fingerprint(self.token)

    def set_connected(self, connected: bool) -> None:  # noqa: FBT001  # a state, set as one
        """Connect or disconnect; nothing happens when it is so already."""
        if self.connected != connected:
            self.connected = connected
            self.changed(self)

    def take(self, messages: int) -> None:
        """Use up quota for accepted messages, and drop the connection if that was asked for."""
        self.quota -= messages
        self.used += messages
        if self.drops_after is not None:
            self.drops_after -= messages
            if self.drops_after <= 0:
                self.drops_after = None
                self.set_connected(False)  # a state, set as one


class Devices:
    """A provider's devices, found by token or by name (``fonnte-1``, ``fonnte-2``, ...)."""

    def __init__(self, devices: "Iterable[Device]") -> None:
        self._by_token = {device.token: device for device in devices}

    def __iter__(self) -> "Iterator[Device]":
        return iter(self._by_token.values())

    def with_token(self, token: str) -> Device | None:
        return self._by_token.get(token)

    def named(self, name: str) -> Device | None:
        return next((device for device in self if device.name == name), None)

    def restore(self) -> None:
        """Bring every device back to connected with a large quota."""
        for device in self:
            device.connected = True
            device.changed_at = 0.0
            device.quota = LARGE_QUOTA
            device.used = 0
            device.drops_after = None


def fonnte_devices(provider: "ProviderName", tokens: "Iterable[str]") -> Devices:
    """Devices with numbers 6281200000901, 902, ... (outside the numbers that recipients use)."""
    return Devices(
        Device(provider, f"fonnte-{n}", f"62812000009{n:02d}", token) for n, token in enumerate(tokens, start=1)
    )


def wablas_devices(provider: "ProviderName", credentials: "Iterable[str]") -> Devices:
    """Devices with numbers 6281200000801, 802, ...; a credential is ``TOKEN.SECRET``."""
    return Devices(
        Device(provider, f"wablas-{n}", f"62812000008{n:02d}", token, secret)
        for n, (token, _, secret) in enumerate((c.partition(".") for c in credentials), start=1)
    )
