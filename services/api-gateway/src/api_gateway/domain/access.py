"""Who may do what: people by their role, services by the scopes of their key."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from api_gateway.domain.refusals import Code, Forbidden
from common.catalogue.definitions import DEFINITIONS
from common.contracts.vocabulary import Role

SERVICE = "service"
"""The role of whoever comes with an API key; no person has it."""


class Scope(StrEnum):
    """What an API key may be made for. What has no scope here (keys, the audit log, …) is for people alone."""

    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_WRITE = "notifications:write"
    DELIVERIES_READ = "deliveries:read"
    DELIVERIES_WRITE = "deliveries:write"
    DIRECTORY_READ = "directory:read"
    DIRECTORY_WRITE = "directory:write"
    TEMPLATES_READ = "templates:read"
    SENDERS_READ = "senders:read"
    QUEUE_READ = "queue:read"


@dataclass(frozen=True)
class Caller:
    """Who asks, as a verified token or key says. Only a key has scopes; `address` is where the request came from."""

    subject: str
    role: str
    scopes: frozenset[str] = frozenset()
    address: str | None = field(default=None, compare=False)


EVERYONE = tuple(Role)
ADMINS = (Role.ADMIN,)
DISPATCHERS = (Role.ADMIN, Role.SUPERVISOR, Role.NOC)
OPERATORS = (Role.ADMIN, Role.NOC)
SENDING = {kind: definition.senders for kind, definition in DEFINITIONS.items()}
"""Who may ask for a notification of a type, and take it back."""


def demand(caller: Caller, roles: Collection[Role], what: str = "this", *, scope: Scope | None = None) -> None:
    """Raise `Forbidden`, naming what is needed, unless the caller has one of the roles, or a key of the scope."""
    if caller.role == SERVICE:
        if scope is None:
            raise Forbidden(Code.FORBIDDEN, f"{what} is for people with a token; no API key may do it")
        if scope not in caller.scopes:
            granted = ", ".join(sorted(caller.scopes)) or "none"
            raise Forbidden(Code.FORBIDDEN, f"{what} needs the scope {scope}; the key's scopes are {granted}")
    elif caller.role not in roles:
        needed = ", ".join(sorted(roles))
        raise Forbidden(Code.FORBIDDEN, f"{what} needs one of the roles {needed}; the token's role is {caller.role!r}")
