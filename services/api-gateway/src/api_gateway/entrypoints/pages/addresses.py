"""Where the pages are, and who is shown which of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from api_gateway.domain.access import ADMINS, DISPATCHERS, EVERYONE, OPERATORS
from common.contracts.vocabulary import Role

HOME = "/admin/whatsapp-queue"
SIGN_IN = f"{HOME}/sign-in"
SIGN_OUT = f"{HOME}/sign-out"
FAILURES = f"{HOME}/failures"
DELIVERIES = f"{HOME}/deliveries"
WHY = f"{HOME}/why"
BROADCASTS = f"{HOME}/broadcasts"
JOBS = f"{HOME}/jobs"
TEMPLATES = f"{HOME}/templates"
ROUTES = f"{HOME}/routes"
GROUPS = f"{HOME}/groups"
AUDIT = f"{HOME}/audit"


@dataclass(frozen=True)
class Place:
    """One entry of the navigation."""

    title: str
    address: str
    roles: Sequence[Role]


PLACES = (
    Place("Queue", HOME, OPERATORS),
    Place("Failures", FAILURES, DISPATCHERS),
    Place("Deliveries", DELIVERIES, EVERYONE),
    Place("Why not?", WHY, EVERYONE),
    Place("Broadcasts", BROADCASTS, EVERYONE),
    Place("Jobs", JOBS, OPERATORS),
    Place("Templates", TEMPLATES, EVERYONE),
    Place("Routes", ROUTES, EVERYONE),
    Place("Groups", GROUPS, EVERYONE),
    Place("Audit log", AUDIT, ADMINS),
)


def places(role: str) -> list[Place]:
    """Those a role may look at."""
    return [place for place in PLACES if role in place.roles]
