"""/api/audit-log"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.ports import AuditEntry, AuditSelection
from api_gateway.domain.audit import masked
from api_gateway.domain.moments import span
from api_gateway.entrypoints import answers
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Admin
from api_gateway.entrypoints.paging import Cursor, Limit, after_cursor, cursor_after
from api_gateway.entrypoints.uses import Uses, uses

router = APIRouter(prefix="/api/audit-log", tags=["audit log"])


@router.get("", response_model=answers.Page[answers.AuditEntry], summary="Who changed what, newest first")
async def list_entries(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    _: Admin,
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    found = await entries(
        uses(request), actor=actor, action=action, target=target, since=since, until=until, limit=limit, cursor=cursor
    )
    last = found[-1].id if len(found) == limit else None
    return JSON({"items": [entry_view(entry) for entry in found], "next_cursor": cursor_after(last)})


async def entries(
    use: Uses,
    *,
    actor: str | None,
    action: str | None,
    target: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    cursor: str | None,
) -> list[AuditEntry]:
    """Newest first; raises `Refused` for what makes no sense."""
    begins, ends = span(since, until, use.zone)
    selection = AuditSelection(
        actor=None if actor is None else masked(actor),
        action=action,
        target=None if target is None else masked(target),
        since=begins,
        until=ends,
        before=after_cursor(cursor, "aud_"),
        limit=limit,
    )
    return await use.audit_entries.page(selection)


def entry_view(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": entry.actor,
        "role": entry.role,
        "action": entry.action,
        "targets": entry.targets,
        "outcome": entry.outcome,
        "before": entry.before,
        "after": entry.after,
        "address": entry.address,
    }
