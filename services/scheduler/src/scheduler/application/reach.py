"""Find out who of many people can be told something, and why the others cannot."""

from collections.abc import Mapping
from dataclasses import dataclass

from common.contracts.vocabulary import NotificationType
from scheduler.application.sources import Audiences, Routes, Row, Suppressions
from scheduler.domain.obstacles import Obstacle, addresses, obstacle


@dataclass(frozen=True)
class Reach:
    routes: Routes
    suppressions: Suppressions
    mail_is_on: bool

    async def __call__(self, type_: NotificationType, people: Mapping[str, Row | None]) -> Mapping[str, str]:
        """Why some of them are not told, each under the name they are asked for by."""
        route = await self.routes.effective(type_)
        if not route.enabled:
            return dict.fromkeys(people, Obstacle.SWITCHED_OFF)
        reached = {one for person in people.values() if person is not None for one in addresses(person, route.channels)}
        found = await self.suppressions.among(reached) if reached and route.suppressible else {}
        suppressed = {address: suppression["reason"] for address, suppression in found.items()}
        reasons = {
            name: obstacle(person, route.channels, suppressed, mail_is_on=self.mail_is_on)
            for name, person in people.items()
        }
        return {name: reason for name, reason in reasons.items() if reason is not None}


@dataclass(frozen=True)
class ReachStaff:
    """Of what is told to staff and groups."""

    routes: Routes
    audiences: Audiences

    async def __call__(self, type_: NotificationType) -> str | None:
        """Why nobody at all is told, if so."""
        if not (await self.routes.effective(type_)).enabled:
            return Obstacle.SWITCHED_OFF
        return None if await self.audiences.anybody(type_) else Obstacle.NO_RECIPIENT
