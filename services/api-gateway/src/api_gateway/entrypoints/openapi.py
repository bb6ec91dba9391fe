"""What /openapi.json says about bodies: their schemas and examples that can be sent as they are."""

from collections.abc import Collection, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api_gateway.entrypoints.bodies import Body, NoBody
from common.catalogue.definitions import DEFINITIONS, Recipients
from common.catalogue.examples import EXAMPLE_DATA
from common.catalogue.shapes import Shape

REFERENCE = "#/components/schemas/{model}"
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
ERRORS = {
    400: "The body cannot be read",
    401: "Nobody knows who asks: the token or key is missing, expired or not valid",
    403: "Known, but not allowed",
    404: "There is no such thing",
    409: "It does not fit what is, or the idempotency key is in use",
    413: "The body is too large",
    415: "The body is of a media type that is not read",
    422: "The request is wrong; `fields` say where and what to write instead",
    429: "A limit is reached; `Retry-After` says until when",
    503: "Something we lean on is away; `Retry-After` says when to ask again",
}
LOOKING_ERRORS = (401, 403, 404, 422, 503)
"""Of those, what a request that changes nothing may be answered with."""
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"description": "Accepted", "content": {"application/json": {"example": _ACCEPTED_EXAMPLE}}}
}


def describe(
    body: type[Body], examples: Mapping[str, Any], *, idempotent: bool, optional: bool = False
) -> dict[str, Any]:
    """What FastAPI is told of a body it does not read itself."""
    return _described({"$ref": REFERENCE.format(model=body.__name__)}, examples, idempotent=idempotent,
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
    kind = next(kind for kind, definition in DEFINITIONS.items() if definition.shape is shape)
    example = shape.model_validate(EXAMPLE_DATA[kind]).model_dump(mode="json", by_alias=True, exclude_none=True)
    example = {name: value for name, value in example.items() if name in schema["properties"]}
    return _described(schema, {str(kind): example}, idempotent=True, optional=not schema["required"])


def _described(
    schema: dict[str, Any], examples: Mapping[str, Any], *, idempotent: bool, optional: bool
) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": schema}
    examples = examples or ({"nothing": {}} if optional else {})
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


NO_BODY = describe(NoBody, {}, idempotent=True, optional=True)
"""Of what its path says everything about."""


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
        schema = body.model_json_schema(ref_template=REFERENCE)
        schemas.update(schema.pop("$defs", {}))
        schemas[body.__name__] = schema
    schemas["Error"] = _ERROR
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    document["security"] = [{"bearer": []}, {"key": []}]
    document["components"]["responses"] = {f"Error{status}": _error(text) for status, text in ERRORS.items()}
    for path in document["paths"].values():
        for method, operation in path.items():
            _answers(method, operation)
    return document


def _error(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _answers(method: str, operation: dict[str, Any]) -> None:
    """The errors any route of a method may be answered with."""
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own shape
    if operation.get("security") == []:  # its caller is no client of the API
        responses["default"] = _error("Nothing of interest to whoever calls it")
        return
    for status in ERRORS if method != "get" else LOOKING_ERRORS:
        responses.setdefault(str(status), {"$ref": f"#/components/responses/Error{status}"})


def _bodies(shape: type[Body]) -> list[type[Body]]:
    return [body for direct in shape.__subclasses__() for body in (direct, *_bodies(direct))]
