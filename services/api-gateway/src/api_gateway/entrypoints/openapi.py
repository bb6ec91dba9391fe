"""What /openapi.json says about bodies: their schemas and examples that can be sent as they are."""

from collections.abc import Collection, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api_gateway.entrypoints.bodies import Body
from common.catalogue.definitions import DEFINITIONS, Recipients
from common.catalogue.examples import EXAMPLE_DATA
from common.catalogue.shapes import Shape

_REFERENCE = "#/components/schemas/{model}"
NOTIFICATION_EXAMPLES: dict[str, Any] = {
    "one": {"type": "custom", "to": "6281200000001", "message": "Halo, teknisi kami tiba pukul 10.00."},
    "many": {
        "type": "custom",
        "to": ["6281200000001", "0812-0000-0002", "120363000000000001@g.us"],
        "message": "Pemeliharaan jaringan malam ini pukul 23.00 sampai 01.00.",
        "priority": "high",
    },
    "template": {
        "type": "custom",
        "items": [
            {"to": "6281200000001", "data": {"name": "Sari", "amount": "Rp 250.000"}},
            {"to": "6281200000002", "data": {"name": "Budi", "amount": "Rp 300.000"}},
        ],
        "message": "Halo {{ name }}, tagihan Anda {{ amount }}.",
    },
    "otp": {"type": "otp", "to": "6281200000001", "data": {"code": "123456", "purpose": "masuk"}},
    **{
        kind.value: {"type": kind.value, "data": EXAMPLE_DATA[kind]}
        for kind, definition in DEFINITIONS.items()
        if definition.recipients is not Recipients.GIVEN
    },
}
_ACCEPTED_EXAMPLE = {
    "success": True,
    "notification_id": "ntf_019a8b7c6d5e0123456789abcdef",
    "deliveries": 1,
    "estimated_finish": "2025-11-15T02:00:10Z",
    "rejected": [],
}
_ERROR = {
    "type": "object",
    "required": ["success", "error", "code"],
    "properties": {
        "success": {"const": False},
        "error": {"type": "string"},
        "code": {"type": "string"},
        "fields": {
            "type": "array",
            "items": {"type": "object", "properties": {"field": {"type": "string"}, "error": {"type": "string"}}},
        },
    },
}
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"description": "Accepted", "content": {"application/json": {"example": _ACCEPTED_EXAMPLE}}}
}


def describe(
    body: type[Body], examples: Mapping[str, Any], *, idempotent: bool, optional: bool = False
) -> dict[str, Any]:
    """What FastAPI is told of a body it does not read itself."""
    return _described({"$ref": _REFERENCE.format(model=body.__name__)}, examples, idempotent=idempotent,
                      optional=optional)  # fmt: skip


def describe_shape(
    shape: type[Shape], *, left_out: Collection[str] = (), also: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The data of a type as a body of its own, in camelCase, without what stands in the path."""
    schema = shape.model_json_schema()
    aliases = {shape.model_fields[name].alias or name for name in left_out}
    schema["properties"] = {
        name: described for name, described in schema.get("properties", {}).items() if name not in aliases
    } | dict(also or {})
    schema["required"] = [name for name in schema.get("required", []) if name not in aliases]
    return _described(schema, {}, idempotent=True, optional=not schema["required"])


def _described(
    schema: dict[str, Any], examples: Mapping[str, Any], *, idempotent: bool, optional: bool
) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": schema}
    if examples:
        media["examples"] = {name: {"value": value} for name, value in examples.items()}
    described: dict[str, Any] = {"requestBody": {"required": not optional, "content": {"application/json": media}}}
    if idempotent:
        described["parameters"] = [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "The same key with the same body is done once and answered alike.",
            }
        ]
    return described


def install(app: FastAPI) -> None:
    """Complete what FastAPI generates: bodies, the token, the error shape."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(
                get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for body in _bodies(Body):
        schema = body.model_json_schema(ref_template=_REFERENCE)
        schemas.update(schema.pop("$defs", {}))
        schemas[body.__name__] = schema
    schemas["Error"] = _ERROR
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    document["security"] = [{"bearer": []}]
    error = {
        "description": "Error",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = error
    return document


def _bodies(shape: type[Body]) -> list[type[Body]]:
    return [body for direct in shape.__subclasses__() for body in (direct, *_bodies(direct))]
