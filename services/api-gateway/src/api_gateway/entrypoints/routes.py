"""/api/routes"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Problem, Refused, missing
from api_gateway.entrypoints import editing_answers as answers
from api_gateway.entrypoints import views
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.answers import Page
from api_gateway.entrypoints.authentication import Admin, Reader
from api_gateway.entrypoints.editing_bodies import NULLABLE, RouteBody
from api_gateway.entrypoints.openapi import NO_BODY, describe
from api_gateway.entrypoints.posting import answered, post, post_bare
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import Uses, uses
from common.catalogue.definitions import DEFINITIONS
from common.catalogue.routes import changes_of, merged, written
from common.contracts.documents import RouteDocument
from common.contracts.vocabulary import NotificationType

router = APIRouter(prefix="/api/routes", tags=["routes"])
_CHANGE = describe(
    RouteBody,
    {
        "hours": {"priority": "high", "hours": {"begins": "07:00", "ends": "21:00"}, "providers": ["wablas", "fonnte"]},
        "default": {"reset": ["hours", "providers"]},
    },
    idempotent=True,
)


@router.get("", response_model=Page[answers.Route], summary="How every notification type goes")
async def list_routes(request: Request, _: Reader) -> Response:
    changed = await uses(request).routes.all_changed()
    return JSON({"items": [route_view(kind, changed.get(kind)) for kind in NotificationType], "next_cursor": None})


@router.get("/{type}", response_model=answers.Route, summary="How a notification type goes")
async def show(request: Request, type: str, _: Reader) -> Response:  # noqa: A002 - the path's own word
    kind = known_kind(type)
    return JSON(route_view(kind, await uses(request).routes.changed(kind)))


@router.patch(
    "/{type}", response_model=answers.RouteDone, summary="Change how a notification type goes", openapi_extra=_CHANGE
)
async def change(request: Request, type: str, caller: Admin) -> Response:  # noqa: A002
    kind = known_kind(type)
    document = await read_json(request)

    async def act(_: Turn) -> Answer:
        changed = await change_as_asked(uses(request), caller, kind, document)
        return answered({"success": True, **route_view(kind, changed)})

    return await post(request, caller, document, act)


@router.delete("/{type}", response_model=answers.RouteDone, summary="Back to the type's default", openapi_extra=NO_BODY)
async def restore(request: Request, type: str, caller: Admin) -> Response:  # noqa: A002
    kind = known_kind(type)

    async def act(_: Turn) -> Answer:
        return answered({"success": True, **route_view(kind, await uses(request).change_route.restore(kind, caller))})

    return await post_bare(request, caller, act)


async def change_as_asked(use: Uses, caller: Caller, kind: NotificationType, document: dict[str, Any]) -> RouteDocument:
    """Raises `Refused` for what is unclear or nothing could go by, `Conflicting` when it is another one meanwhile."""
    body = shaped(document, RouteBody)
    changes = body.changes()
    _refuse_unclear(changes, body.reset)
    return await use.change_route(kind, changes, caller, reset=body.reset, revision=body.revision)


def known_kind(name: str) -> NotificationType:
    try:
        return NotificationType(name)
    except ValueError as error:
        raise missing("notification type", name) from error


def _refuse_unclear(changes: dict[str, Any], reset: list[str]) -> None:
    problems = [
        Problem(name, "cannot be null; name it in reset to go back to the default")
        for name, value in changes.items()
        if value is None and name not in NULLABLE
    ]
    problems += [Problem("reset", f"{name} is changed, too; do one of both") for name in reset if name in changes]
    if not changes and not reset:
        problems = [Problem("body", "nothing to change; give a field of the route, or name some in reset")]
    if problems:
        text = "; ".join(f"{one.field}: {one.error}" for one in problems)
        raise Refused(Code.VALIDATION_ERROR, text, problems)


def route_view(kind: NotificationType, changed: RouteDocument | None) -> dict[str, Any]:
    """The route as it goes, which of it was changed, and what its default is."""
    document: dict[str, Any] = {} if changed is None else dict(changed)
    return {
        "type": kind,
        **written(merged(kind, document)),
        "changed": list(changes_of(document)),
        "default": written(DEFINITIONS[kind].route),
        "revision": document.get("revision", 0),
        "changed_by": views.by(document.get("changed_by")),
        "changed_at": document.get("changed_at"),
    }
