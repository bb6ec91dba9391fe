"""A broadcast's audience: a question to the directory that is asked page by page while it is planned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api_gateway.application.catalogue_ports import Directory, Stored
from api_gateway.application.gather_rows import shown
from api_gateway.application.reach_people import reach
from api_gateway.application.wordings import Wording
from api_gateway.domain.audience import Audience
from api_gateway.domain.channels import Channels
from api_gateway.domain.refusals import Code, unknown
from common.contracts.documents import AudienceMember, AudienceQuery

CHECKED = 1_000
"""Ids of a list that are looked up on acceptance; of a longer one what is not known is found while planning."""
LIST = "target_customers"
SHOWN = ("id", "name", "area", "package_id")
"""Of a customer, what the text of a broadcast may speak of."""


@dataclass(frozen=True)
class Addressed:
    """`audience`: the ids of a list, as members, and what was wrong with the others; `people` as far as known."""

    query: AudienceQuery
    people: int
    audience: Audience = field(default_factory=Audience)


@dataclass(frozen=True)
class FindCustomers:
    directory: Directory

    async def __call__(self, data: dict[str, Any], wording: Wording, prefix: str, channels: Channels) -> Addressed:
        """Takes the list of ids out of `data`; raises `Refused` when nobody is reached or the text cannot be made."""
        listed = data.pop(LIST, None)
        area = data.get("area")
        if listed is not None:
            addressed = await self._listed(listed, channels)
        else:
            query: AudienceQuery = {"rows": "customers"} if area is None else {"rows": "customers", "area": area}
            addressed = Addressed(query, await self.directory.count_customers(area))
            if not addressed.people:
                where = "" if area is None else f" in the area {area}"
                raise unknown(f"{prefix}area" if area else "to", f"no active customer{where} is known",
                              code=Code.NO_RECIPIENT)  # fmt: skip
        wording.check(None, {**data, "customer": await self._example(addressed, area)}, channels.told)
        return addressed

    async def _listed(self, listed: list[str], channels: Channels) -> Addressed:
        audience = Audience()
        known = await self.directory.many("customers", listed) if len(listed) <= CHECKED else None
        seen: set[str] = set()
        members: list[AudienceMember] = []
        for index, identity in enumerate(listed):
            if identity in seen:
                audience.reject(index, identity, Code.DUPLICATE_RECIPIENT, "the same customer stands further up")
            elif known is not None and (why := _unreachable(identity, known.get(identity), channels)) is not None:
                audience.reject(index, identity, *why)
            else:
                members.append({"to": identity})
            seen.add(identity)
        audience.members = members
        audience.demand_somebody()
        return Addressed({"rows": "customers", "listed": True}, len(members), audience)

    async def _example(self, addressed: Addressed, area: str | None) -> Mapping[str, object]:
        """One of them, to see whether the text can be made."""
        if addressed.audience.members:
            first = addressed.audience.members[0]["to"]
            found = list((await self.directory.many("customers", [first])).values())
        else:
            found = list(await self.directory.customers(None, area, 1))
        row = shown(found[0]) if found else {"id": ""}
        return {name: row[name] for name in SHOWN if name in row}


def _unreachable(identity: str, row: Stored | None, channels: Channels) -> tuple[Code, str] | None:
    if row is None:
        return Code.NOT_FOUND, f"no customer {identity} is known"
    reached = reach("customer", row, channels)
    return None if reached.members else (reached.code, reached.error)
