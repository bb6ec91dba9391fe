"""Who may do what."""

from collections.abc import Collection
from dataclasses import dataclass

from api_gateway.domain.refusals import Code, Forbidden
from common.catalogue.definitions import DEFINITIONS
from common.contracts.vocabulary import Role


@dataclass(frozen=True)
class Caller:
    """Who asks, as a verified token says."""

    subject: str
    role: str


EVERYONE = tuple(Role)
DISPATCHERS = (Role.ADMIN, Role.SUPERVISOR, Role.NOC)
OPERATORS = (Role.ADMIN, Role.NOC)
SENDING = {kind: definition.senders for kind, definition in DEFINITIONS.items()}
"""Who may ask for a notification of a type, and take it back."""


def demand(caller: Caller, roles: Collection[Role], what: str = "this") -> None:
    """Raise `Forbidden`, naming the roles, unless the caller has one of them."""
    if caller.role not in roles:
        needed = ", ".join(sorted(roles))
        raise Forbidden(Code.FORBIDDEN, f"{what} needs one of the roles {needed}; the token's role is {caller.role!r}")
