"""The texts: look, try, publish."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.domain.access import ADMINS
from api_gateway.domain.refusals import Code, Conflicting, Refused
from api_gateway.entrypoints.editing_bodies import TemplateBody
from api_gateway.entrypoints.errors import STATUSES
from api_gateway.entrypoints.pages.addresses import TEMPLATES
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.rendering import done, render
from api_gateway.entrypoints.pages.visitors import Admin, AnyVisitor, Form, Visitor
from api_gateway.entrypoints.reading import shaped
from api_gateway.entrypoints.templates import find_version, preview_view, summary, usable_values, version_view
from api_gateway.entrypoints.uses import uses
from common.contracts.documents import TemplateDocument

router = APIRouter(prefix=TEMPLATES, route_class=PageRoute, include_in_schema=False)
MOST = 200
FIELDS = ("whatsapp", "email_subject", "email_text")


@router.get("")
async def look(request: Request, _: AnyVisitor) -> Response:
    found = await uses(request).templates.newest(limit=MOST)
    return render(request, "templates.html", {"items": [summary(one) for one in found]})


@router.get("/{name}")
async def show(request: Request, name: str, visitor: AnyVisitor, version: int | None = None) -> Response:
    found = version_view(await find_version(uses(request), name, version))
    try:
        shown = await uses(request).preview_template(name, {}, version=version, data=None)
    except Refused as refused:  # one for custom has no example of what it speaks of
        return await _page(request, visitor, found, refused=None if version is None else refused)
    return await _page(request, visitor, found, preview=preview_view(shown))


@router.post("/{name}/preview")
async def preview(request: Request, name: str, visitor: AnyVisitor) -> Response:
    """How it would look; nothing is kept but in the form."""
    found = version_view(await find_version(uses(request), name))
    written = {**found, **_given(visitor.form)}
    try:
        shown = await uses(request).preview_template(name, _given(visitor.form), version=None, data=None)
    except Refused as refused:
        return await _page(request, visitor, written, refused=refused)
    return await _page(request, visitor, written, preview=preview_view(shown), drafted=True)


@router.post("/{name}/publish")
async def publish(request: Request, name: str, visitor: Admin) -> Response:
    found = version_view(await _newest(request, name))
    if visitor.form.get("version") != str(found["version"]):
        raise Conflicting(Code.CONFLICT, f"Somebody published version {found['version']} meanwhile. Look at it first.")
    try:
        given = shaped(dict(_given(visitor.form)), TemplateBody).given()
        published = await uses(request).publish_template(name, given, visitor.caller)
    except Refused as refused:
        if STATUSES[type(refused)] != 422:
            raise
        return await _page(request, visitor, {**found, **_given(visitor.form)}, refused=refused)
    what = f"Version {published.document['version']} is used from now on." if published.new else "Nothing changed."
    return done(f"{TEMPLATES}/{name}", " ".join((what, *published.warnings)))


async def _newest(request: Request, name: str) -> TemplateDocument:
    """Not a moment old; raises `Missing`."""
    versions = await uses(request).templates.versions(name, limit=1)
    return versions[0] if versions else await find_version(uses(request), name)


def _given(form: Form) -> Mapping[str, str | None]:
    """Browsers end lines as on paper. Empty mails are none."""
    texts = {name: form.fields[name][0].replace("\r\n", "\n") for name in FIELDS if name in form.fields}
    return {name: text if name == "whatsapp" or text.strip() else None for name, text in texts.items()}


async def _page(
    request: Request,
    visitor: Visitor,
    template: Mapping[str, Any],
    *,
    preview: Mapping[str, Any] | None = None,
    refused: Refused | None = None,
    drafted: bool = False,
) -> Response:
    versions = await uses(request).templates.versions(template["name"])
    values = {
        "template": template,
        "current": (versions[0] if versions else template)["version"],
        "versions": [summary(one) for one in versions],
        "values": usable_values(template["name"])["values"],
        "preview": preview,
        "drafted": drafted,
        "may_publish": visitor.caller.role in ADMINS,
    }
    return render(request, "template.html", values, refused=refused)
