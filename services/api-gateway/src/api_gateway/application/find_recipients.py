"""Who gets a notification that names nobody itself."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api_gateway.application.catalogue_ports import Directory, Groups, Stored
from api_gateway.application.gather_rows import Rows, shown
from api_gateway.application.reach_people import reach
from api_gateway.application.wordings import Wording
from api_gateway.domain.audience import Audience, member_channel
from api_gateway.domain.channels import Channels
from api_gateway.domain.refusals import Code, unknown
from api_gateway.domain.submission import field_of
from common.catalogue.definitions import Definition, Recipients
from common.contracts.documents import AudienceMember
from common.contracts.vocabulary import Channel, Role

AT_ONCE = 50
PERSON = {
    Recipients.CUSTOMER: "customer",
    Recipients.TICKETS_CUSTOMER: "customer",
    Recipients.INVOICES_CUSTOMER: "customer",
    Recipients.TICKETS_TECHNICIAN: "technician",
    Recipients.TECHNICIAN: "technician",
}
"""The row that is the one recipient of a type."""


def the_person(definition: Definition, rows: Rows, prefix: str, channels: Channels) -> Audience:
    """The one person; raises `Unknown` when nobody knows who that is, or where by any of the channels."""
    row = PERSON[definition.recipients]
    reached = reach(row, rows.demand(row, prefix), channels)
    if not reached.members:
        raise unknown(field_of(prefix, rows.through[row]), reached.error, code=reached.code)
    audience = Audience()
    audience.add_person(reached.members)
    return audience


@dataclass(frozen=True)
class FindStaff:
    """Active staff of the definition's roles and the WhatsApp groups of its purposes."""

    directory: Directory
    groups: Groups

    async def __call__(
        self,
        definition: Definition,
        wording: Wording,
        context: Mapping[str, Any],
        providers: Sequence[str],
        channels: Channels,
        *,
        stand_in: str | None,
    ) -> Audience:
        """Everybody with an address, once; those without one are told by name. Groups are told by WhatsApp alone, and
        so is the number that stands in for everybody.
        """
        audience = Audience()
        if stand_in is not None:
            audience.add_person([{"to": stand_in}])
        own = "staff" in definition.rows
        people = await self._people(definition.roles)
        for index, (kind, person) in enumerate(people):
            reached = reach(kind, person, channels)
            if not reached.members:
                audience.reject(index, person["_id"], reached.code, reached.error)
            else:
                data = {**context, "staff": shown(person)} if own else None
                audience.add_person(_members(reached.members, wording, data))
            if index % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
        await self._add_groups(audience, definition, providers, len(people), channels)
        audience.demand_somebody(f"no active staff of the roles {', '.join(definition.roles)} is known")
        return audience

    async def _add_groups(
        self, audience: Audience, definition: Definition, providers: Sequence[str], first: int, channels: Channels
    ) -> None:
        groups = await self.groups.of(definition.groups) if Channel.WHATSAPP in channels.told else []
        for index, group in enumerate(groups, start=first):
            group_id = next((group["group_ids"][name] for name in providers if group["group_ids"].get(name)), None)
            if group_id is None:
                error = f"group {group['name']} is known to none of {', '.join(providers)}"
                audience.reject(index, group["_id"], Code.NO_RECIPIENT, error)
            else:
                audience.add_person([{"to": group_id}])

    async def _people(self, roles: Sequence[Role]) -> list[tuple[str, Stored]]:
        people = [("staff", person) for person in await self.directory.staff(roles)] if roles else []
        if Role.TECHNICIAN in roles:
            people += [("technician", person) for person in await self.directory.technicians()]
        return people


def _members(members: list[AudienceMember], wording: Wording, data: dict[str, Any] | None) -> list[AudienceMember]:
    """With what only this person is told with, where that is something."""
    if data is None:
        return members
    wording.check(None, data, (member_channel(one) for one in members))
    return [{**one, "data": data} for one in members]
