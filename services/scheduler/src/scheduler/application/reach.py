"""Find out who of many people can be told something, and why the others cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.contracts.vocabulary import BY_WHATSAPP, Channel, NotificationType
from scheduler.application.sources import Audiences, Routes, Row, Suppressions, Templates
from scheduler.domain.obstacles import Obstacle, addresses, obstacle


@dataclass(frozen=True)
class Reach:
    routes: Routes
    templates: Templates
    suppressions: Suppressions
    mail_is_on: bool

    async def channels(self, type_: NotificationType) -> Sequence[Channel]:
        """By which people are told; none while the type is switched off. What has no e-mail text goes by WhatsApp."""
        route = await self.routes.effective(type_)
        if not route.enabled:
            return ()
        has_email = (await self.templates.current(type_))["email_text"] is not None
        return route.channels if has_email else BY_WHATSAPP

    async def __call__(self, type_: NotificationType, people: Mapping[str, Row | None]) -> Mapping[str, str]:
        """Why some of them are not told, each under the name they are asked for by."""
        route, channels = await self.routes.effective(type_), await self.channels(type_)
        if not channels:
            return dict.fromkeys(people, Obstacle.SWITCHED_OFF)
        reached = {one for person in people.values() if person is not None for one in addresses(person, channels)}
        found = await self.suppressions.among(reached) if reached and route.suppressible else {}
        suppressed = {address: suppression["reason"] for address, suppression in found.items()}
        reasons = {
            name: obstacle(person, channels, suppressed, mail_is_on=self.mail_is_on) for name, person in people.items()
        }
        return {name: reason for name, reason in reasons.items() if reason is not None}


@dataclass(frozen=True)
class ReachStaff:
    """Of what is told to staff and groups."""

    reach: Reach
    audiences: Audiences

    async def __call__(self, type_: NotificationType) -> str | None:
        """Why nobody at all is told, if so."""
        channels = await self.reach.channels(type_)
        if not channels:
            return Obstacle.SWITCHED_OFF
        if Channel.WHATSAPP in channels and await self.audiences.any_group(type_):
            return None
        people = {row["_id"]: row for row in await self.audiences.staff(type_)}
        unreached = await self.reach(type_, people)
        return None if len(unreached) < len(people) else Obstacle.NO_RECIPIENT
