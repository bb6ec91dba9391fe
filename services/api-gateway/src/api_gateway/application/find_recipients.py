"""Who gets a notification that names nobody itself."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api_gateway.application.catalogue_ports import Directory, Groups, Stored
from api_gateway.application.gather_rows import Rows, shown
from api_gateway.application.wordings import Wording
from api_gateway.domain.audience import Audience
from api_gateway.domain.refusals import Code, unknown
from api_gateway.domain.submission import field_of
from common.catalogue.definitions import Definition, Recipients
from common.contracts.documents import AudienceMember
from common.contracts.vocabulary import Role

AT_ONCE = 50
PERSON = {
    Recipients.CUSTOMER: "customer",
    Recipients.TICKETS_CUSTOMER: "customer",
    Recipients.INVOICES_CUSTOMER: "customer",
    Recipients.TICKETS_TECHNICIAN: "technician",
    Recipients.TECHNICIAN: "technician",
}
"""The row that is the one recipient of a type."""


def the_person(definition: Definition, rows: Rows, prefix: str) -> Audience:
    """The one person; raises `Unknown` when nobody knows who that is, or at which number."""
    row = PERSON[definition.recipients]
    found = rows.demand(row, prefix)
    phone = found.get("phone")
    if phone is None:
        raise unknown(
            field_of(prefix, rows.through[row]), f"{row} {found['_id']} has no phone number", code=Code.INVALID_PHONE
        )  # fmt: skip
    audience = Audience()
    audience.add(0, phone)
    audience.demand_somebody()
    return audience


@dataclass(frozen=True)
class FindStaff:
    """Active staff of the definition's roles and the WhatsApp groups of its purposes."""

    directory: Directory
    groups: Groups

    async def __call__(
        self, definition: Definition, wording: Wording, context: Mapping[str, Any], providers: Sequence[str]
    ) -> Audience:
        """Everybody with a number, once; those without one are told by name."""
        audience = Audience()
        seen: set[str] = set()
        own = "staff" in definition.rows
        people = await self._people(definition.roles)
        for index, (kind, person) in enumerate(people):
            phone = person.get("phone")
            if phone is None:
                error = f"{kind} {person['_id']} has no phone number"
                audience.reject(index, person["_id"], Code.INVALID_PHONE, error)
            elif phone not in seen:
                seen.add(phone)
                self._add(audience, index, person, wording, {**context, "staff": shown(person)} if own else None)
            if index % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
        for index, group in enumerate(await self.groups.of(definition.groups), start=len(people)):
            group_id = next((group["group_ids"][name] for name in providers if group["group_ids"].get(name)), None)
            if group_id is None:
                error = f"group {group['name']} is known to none of {', '.join(providers)}"
                audience.reject(index, group["_id"], Code.NO_RECIPIENT, error)
            elif group_id not in seen:
                seen.add(group_id)
                audience.add(index, group_id)
        audience.demand_somebody(f"no active staff of the roles {', '.join(definition.roles)} is known")
        return audience

    async def _people(self, roles: Sequence[Role]) -> list[tuple[str, Stored]]:
        people = [("staff", person) for person in await self.directory.staff(roles)] if roles else []
        if Role.TECHNICIAN in roles:
            people += [("technician", person) for person in await self.directory.technicians()]
        return people

    def _add(
        self, audience: Audience, index: int, person: Stored, wording: Wording, data: dict[str, Any] | None
    ) -> None:
        member: AudienceMember = {"to": ""}
        if data is not None:
            wording.text(None, data)
            member["data"] = data
        audience.add(index, person["phone"], member)
