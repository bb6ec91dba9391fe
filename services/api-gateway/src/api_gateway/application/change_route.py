"""Change how a notification type goes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from api_gateway.application.editing_ports import ChangeableRoutes, TemplateVersions
from api_gateway.application.ports import AuditLog
from api_gateway.application.preview_template import find
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Conflicting
from api_gateway.domain.routes import check_route
from common.catalogue.routes import FIELDS, changes_of, merged
from common.contracts.documents import RouteDocument
from common.contracts.vocabulary import NotificationType
from common.kernel.clock import Clock
from common.kernel.failures import Outdated
from common.telemetry.logs import logger

AGAIN = 20
"""How often a change is tried while others change the same route."""
log = logger()


@dataclass(frozen=True)
class ChangeRoute:
    routes: ChangeableRoutes
    templates: TemplateVersions
    audit: AuditLog
    clock: Clock

    async def __call__(
        self,
        kind: NotificationType,
        changes: Mapping[str, Any],
        caller: Caller,
        *,
        reset: Collection[str] = (),
        revision: int | None = None,
    ) -> RouteDocument:
        """Write the changes, and put the fields of `reset` back to their default.

        With `revision` only if nobody has changed the route since; raises `Conflicting` then, and `Refused` for a route
        nothing could go by.
        """
        found = await self.routes.changed(kind)
        async with self.audit.changing(caller, "route.change", kind.value, before=changes_of(found or {})) as change:
            for _ in range(AGAIN):
                await self._check(kind, {**_without(found, reset), **changes})
                current = 0 if found is None else found["revision"]
                if revision is not None and revision != current:
                    raise _outdated(kind, current)
                try:
                    written = await self.routes.change(
                        kind, changes, reset=reset, revision=current, by=caller.subject, at=self.clock.now()
                    )
                except Outdated:
                    found = await self.routes.changed(kind)
                    continue
                change.after = changes_of(written)
                log.info("route.changed", type=kind.value, fields=sorted({*changes, *reset}), by=caller.subject)
                return written
            raise _outdated(kind, 0 if found is None else found["revision"])

    async def restore(self, kind: NotificationType, caller: Caller) -> RouteDocument | None:
        """Back to the type's default."""
        found = await self.routes.changed(kind)
        if found is None or not changes_of(found):
            return found
        return await self(kind, {}, caller, reset=FIELDS)

    async def _check(self, kind: NotificationType, changed: Mapping[str, Any]) -> None:
        template = None if kind is NotificationType.CUSTOM else await find(self.templates, kind.value)
        has_email = template is not None and template["email_text"] is not None
        check_route(kind, merged(kind, changed), has_email=has_email)


def _without(found: RouteDocument | None, reset: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in changes_of(found or {}).items() if name not in reset}


def _outdated(kind: NotificationType, revision: int) -> Conflicting:
    error = f"the route of {kind} has been changed meanwhile and is at revision {revision}; read it again"
    return Conflicting(Code.CONFLICT, error)
