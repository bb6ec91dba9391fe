"""/api/templates"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.application.preview_template import Preview, find
from api_gateway.domain.refusals import invalid, missing
from api_gateway.domain.templates import type_of
from api_gateway.entrypoints import editing_answers as answers
from api_gateway.entrypoints import views
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.answers import Page
from api_gateway.entrypoints.authentication import Admin, TemplateReader
from api_gateway.entrypoints.editing_bodies import PreviewBody, TemplateBody
from api_gateway.entrypoints.openapi import describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_cursor, cursor_after
from api_gateway.entrypoints.posting import answered, post
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import Uses, uses
from common.catalogue.examples import EXAMPLE_DATA
from common.catalogue.texts import texts_of
from common.catalogue.values import known_values
from common.contracts.documents import TemplateDocument
from common.contracts.vocabulary import NotificationType

router = APIRouter(prefix="/api/templates", tags=["templates"])
Name = Annotated[str, Path(description="A notification type, or the name of a template for custom.")]
_PUBLISH = describe(
    TemplateBody,
    {"own": {"whatsapp": "Halo {{ name }}, promo akhir tahun sudah tiba."}},
    idempotent=True,
)
_PREVIEW = describe(
    PreviewBody,
    {
        "current": {},
        "draft": {"whatsapp": "Halo {{ name }}, sampai jumpa.", "data": {"name": "Sari"}},
    },
    idempotent=True,
    optional=True,
)


@router.get(
    "", response_model=Page[answers.TemplateSummary], summary="Every template with its current version, by name"
)
async def list_templates(request: Request, _: TemplateReader, limit: Limit = 50, cursor: Cursor = None) -> Response:
    found = await uses(request).templates.newest(after=after_cursor(cursor) or "", limit=limit)
    last = found[-1]["type"] if len(found) == limit else None
    return JSON({"items": [summary(one) for one in found], "next_cursor": cursor_after(last)})


@router.get(
    "/{name}",
    response_model=answers.Template,
    summary="The current version of a template, its values, and its versions",
)
async def show(request: Request, name: Name, _: TemplateReader) -> Response:
    found = await find_version(uses(request), name)
    versions = await uses(request).templates.versions(found["type"])
    return JSON(version_view(found) | usable_values(found["type"]) | {"versions": [summary(one) for one in versions]})


@router.get("/{name}/versions/{version}", response_model=answers.TemplateVersion, summary="One version of a template")
async def show_version(request: Request, name: Name, version: int, _: TemplateReader) -> Response:
    return JSON(version_view(await find_version(uses(request), name, version)))


@router.post(
    "/{name}",
    response_model=answers.TemplatePublished,
    summary="Publish the next version of a template",
    status_code=201,
    responses={200: {"description": "These texts are the current ones already", "model": answers.TemplatePublished}},
    openapi_extra=_PUBLISH,
)
async def publish(request: Request, name: Name, caller: Admin) -> Response:
    document = await read_json(request)

    async def act(_: Turn) -> Answer:
        given = shaped(document, TemplateBody).given()
        if not given:
            raise invalid("whatsapp", "nothing is given to publish; give whatsapp, email_subject or email_text")
        published = await uses(request).publish_template(name, given, caller)
        stored = published.document
        body = {"success": True, **version_view(stored), "warnings": published.warnings}
        return answered(body, 201 if published.new else 200, f"/api/templates/{name}/versions/{stored['version']}")

    return await post(request, caller, document, act)


@router.post(
    "/{name}/preview",
    response_model=answers.TemplatePreview,
    summary="How a template looks with an example or given data",
    openapi_extra=_PREVIEW,
)
async def preview(request: Request, name: Name, caller: TemplateReader) -> Response:
    document = await read_json(request, optional=True)

    async def act(_: Turn) -> Answer:
        body = shaped(document, PreviewBody)
        shown = await uses(request).preview_template(name, body.given(), version=body.version, data=body.data)
        return answered({"success": True, "name": name, **preview_view(shown)})

    return await post(request, caller, document, act)


async def find_version(use: Uses, name: str, version: int | None = None) -> TemplateDocument:
    """Raises `Missing`."""
    found = await find(use.templates, name, version)
    if found is None:
        raise missing("template", name if version is None else f"{name}:{version}")
    return found


def summary(document: TemplateDocument) -> dict[str, Any]:
    return {
        "id": document["_id"],
        "name": document["type"],
        "type": type_of(document["type"]),
        "version": document["version"],
        "channels": ["whatsapp"] if document["email_text"] is None else ["whatsapp", "email"],
        "origin": document["origin"],
        "created_by": views.by(document["created_by"]),
        "created_at": document["created_at"],
    }


def version_view(document: TemplateDocument) -> dict[str, Any]:
    return summary(document) | asdict(texts_of(document))


def usable_values(name: str) -> dict[str, Any]:
    """What the texts may name, and the example they are tried with; nothing for a template of an operator's own."""
    kind = type_of(name)
    known = known_values(kind)
    if known is None or kind is NotificationType.CUSTOM:
        return {"values": None, "example": None}
    names = [f"{row}.{field}" for row, fields in known.items() if fields is not None for field in sorted(fields)]
    return {"values": [name for name, fields in known.items() if fields is None] + names, "example": EXAMPLE_DATA[kind]}


def preview_view(preview: Preview) -> dict[str, Any]:
    texts, length = preview.rendered, len(preview.rendered.whatsapp)
    fits = {
        provider: {"most": limit, "fits": length <= limit, "left": limit - length}
        for provider, limit in preview.limits.items()
    }
    email = None
    if texts.email_text is not None:
        email = {"subject": texts.email_subject, "text": texts.email_text, "characters": len(texts.email_text)}
    return {
        "version": preview.version,
        "whatsapp": {"text": texts.whatsapp, "characters": length, "providers": fits},
        "email": email,
    }
