"""How those can be reached who are told that something is wrong with Kabar itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reachable:
    """`by_phone`, `by_email`: whether an administrator can be told so. `number`: who is told by WhatsApp
    while none of them can.
    """

    by_phone: bool
    by_email: bool
    number: str | None = None
