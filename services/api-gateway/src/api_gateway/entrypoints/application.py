"""The HTTP application."""

from collections.abc import Mapping

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from api_gateway.entrypoints import (
    alerts,
    api_keys,
    audit_log,
    deliveries,
    directory,
    erasures,
    errors,
    groups,
    jobs,
    notifications,
    openapi,
    parked_envelopes,
    queue,
    restored,
    routes,
    senders,
    suppressions,
    templates,
    webhook_endpoints,
    webhooks,
    whatsapp_notifications,
)
from api_gateway.entrypoints.bounding import Bounded
from api_gateway.entrypoints.measuring import Measured
from api_gateway.entrypoints.pages import site
from api_gateway.entrypoints.uses import Uses
from common.http.operations import Check, operations_routes

PARTS = (
    alerts,
    api_keys,
    audit_log,
    deliveries,
    directory,
    erasures,
    groups,
    jobs,
    notifications,
    parked_envelopes,
    queue,
    restored,
    routes,
    senders,
    suppressions,
    webhook_endpoints,
    templates,
    webhooks,
    whatsapp_notifications,
)


def http_application(uses: Uses, checks: Mapping[str, Check], registry: CollectorRegistry) -> ASGIApp:
    """All routes, errors in one shape, requests measured."""
    return Measured(Bounded(routed(uses, checks, registry)), registry)


def routed(uses: Uses, checks: Mapping[str, Check], registry: CollectorRegistry) -> FastAPI:
    """All routes, errors in one shape."""
    app = described()
    app.state.uses = uses
    app.router.routes += operations_routes(checks, registry)
    errors.install(app)
    site.install(app)
    return app


def described() -> FastAPI:
    """The routes and what they say of themselves, without what they do."""
    app = FastAPI(
        title="Kabar",
        version="1",
        description="Accepts notifications over WhatsApp and shows what became of every one of them.",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    for part in PARTS:
        app.include_router(part.router)
    openapi.install(app)
    return app
