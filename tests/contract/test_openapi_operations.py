"""The OpenAPI document says what can be sent and what may come back."""

from typing import Any

import httpx
import jsonschema_rs
import pytest

from api_gateway.entrypoints.application import described
from tests.support import documented

DOCUMENT: dict[str, Any] = described().openapi()
OPERATIONS = [
    pytest.param(method, operation, id=f"{method} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if operation.get("security") != []
]
WRITING = [one for one in OPERATIONS if one.values[0] in {"post", "put", "patch"}]
LOOKING = {"401", "403", "404", "422", "503"}
CHANGING = LOOKING | {"409", "413", "415", "429"}


@pytest.mark.parametrize(("method", "operation"), OPERATIONS)
def test_every_route_tells_its_errors_in_the_one_shape(method: str, operation: dict[str, Any]) -> None:
    told = operation["responses"]
    assert set(told) >= (LOOKING if method == "get" else CHANGING)
    for status in LOOKING:
        name = told[status]["$ref"].rpartition("/")[2]
        media = DOCUMENT["components"]["responses"][name]["content"]["application/json"]
        assert media["schema"] == {"$ref": "#/components/schemas/Error"}
    assert [status for status in told if status.startswith("2")]
    assert operation["summary"]


@pytest.mark.parametrize(("method", "operation"), OPERATIONS)
def test_every_success_tells_its_fields(method: str, operation: dict[str, Any]) -> None:
    assert method
    told = [told["content"] for status, told in operation["responses"].items() if status.startswith("2")]
    assert told
    for content in told:
        schema = content["application/json"]["schema"]
        for one in schema.get("anyOf", [schema]):
            fields = DOCUMENT["components"]["schemas"][one["$ref"].rpartition("/")[2]]["properties"]
            assert fields
            assert fields.get("items", {}).get("items", "no page") != {"type": "object"}


@pytest.mark.parametrize("change", [{"more": 1}, {"next_cursor": 1}])
async def test_an_answer_that_is_not_the_documented_one_is_noticed(change: dict[str, Any]) -> None:
    request = httpx.Request("GET", "http://kabar/api/senders")
    answer: dict[str, Any] = {"items": [], "next_cursor": None}
    await documented.check(httpx.Response(200, json=answer, request=request))
    with pytest.raises(jsonschema_rs.ValidationError):
        await documented.check(httpx.Response(200, json={**answer, **change}, request=request))


@pytest.mark.parametrize(("method", "operation"), WRITING)
def test_every_body_has_an_example_that_can_be_sent(method: str, operation: dict[str, Any]) -> None:
    assert method
    media = operation["requestBody"]["content"]["application/json"]
    validator = jsonschema_rs.validator_for({**media["schema"], "components": DOCUMENT["components"]})
    assert media["examples"]
    for example in media["examples"].values():
        validator.validate(example["value"])


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [one.values[1]["operationId"] for one in OPERATIONS]  # type: ignore[index]
    assert len(set(names)) == len(names)


def test_people_and_services_are_told_how_to_sign_in() -> None:
    assert set(DOCUMENT["components"]["securitySchemes"]) == {"bearer", "key"}
