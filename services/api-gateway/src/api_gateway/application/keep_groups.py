"""WhatsApp groups: add, change, remove."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from api_gateway.application.ports import AuditLog
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Conflicting, missing
from common.contracts.documents import GroupDocument
from common.kernel.clock import Clock


class NameTaken(Exception):  # noqa: N818 - failures are adjectives here
    """Another group has one of its names."""


class Groups(Protocol):
    async def page(self, after: str | None, limit: int) -> list[GroupDocument]: ...

    async def get(self, group_id: str) -> GroupDocument | None: ...

    async def add(self, group: GroupDocument) -> bool:
        """`False` when another group has one of its names."""
        ...

    async def change(self, group_id: str, fields: Mapping[str, Any]) -> GroupDocument | None:
        """`None` when it is not there any more. Raises `NameTaken`."""
        ...

    async def remove(self, group_id: str) -> None: ...


@dataclass(frozen=True)
class KeepGroups:
    groups: Groups
    audit: AuditLog
    clock: Clock

    async def get(self, group_id: str) -> GroupDocument:
        """Raises `Missing`."""
        found = await self.groups.get(group_id)
        if found is None:
            raise missing("group", group_id)
        return found

    async def add(self, group_id: str, fields: Mapping[str, Any], caller: Caller) -> GroupDocument:
        """Raises `Conflicting` when a provider's name for it is another group's."""
        group = GroupDocument(
            _id=group_id,
            name=fields["name"],
            purpose=fields["purpose"],
            group_ids=fields["group_ids"],
            known_as=_names(fields["group_ids"]),
            active=fields["active"],
            created_by=caller.subject,
            created_at=self.clock.now(),
        )
        async with self.audit.changing(caller, "group.add", group_id) as noted:
            if not await self.groups.add(group):
                raise _taken()
            noted.after = _audited(group)
        return group

    async def change(self, group_id: str, fields: Mapping[str, Any], caller: Caller) -> GroupDocument:
        """Raises `Missing` and `Conflicting`."""
        before = await self.get(group_id)
        changed = dict(fields)
        if "group_ids" in changed:
            changed["known_as"] = _names(changed["group_ids"])
        async with self.audit.changing(caller, "group.change", group_id, before=_audited(before)) as noted:
            try:
                after = await self.groups.change(group_id, changed) if changed else before
            except NameTaken as error:
                raise _taken() from error
            if after is None:
                raise missing("group", group_id)
            noted.after = _audited(after)
        return after

    async def remove(self, group_id: str, caller: Caller) -> None:
        """Raises `Missing`."""
        before = await self.get(group_id)
        async with self.audit.changing(caller, "group.remove", group_id, before=_audited(before)):
            await self.groups.remove(group_id)


def _names(group_ids: Mapping[str, str]) -> list[str]:
    return sorted(set(group_ids.values()))


def _taken() -> Conflicting:
    return Conflicting(Code.CONFLICT, "group_ids: one of them is another group's; change that one instead")


def _audited(group: GroupDocument) -> Mapping[str, Any]:
    names: Sequence[str] = ("name", "purpose", "group_ids", "active")
    return {name: group.get(name) for name in names}
