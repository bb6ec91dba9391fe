"""Whatever is sent to a route, by whomever, is answered as the OpenAPI document says and never with a defect."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from requests import Session
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api_gateway.entrypoints.application import described
from tests.support.access_table import ROLES
from tests.support.api import Api, token

EXAMPLES = 5
"""Of good and of bad requests each, for every route; every one is sent by every role."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT: dict[str, Any] = described().openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}  # type: ignore[union-attr]
CALLERS: dict[str, dict[str, str]] = {
    **{role: {"Authorization": f"Bearer {token(role)}"} for role in ROLES},
    "nobody": {},
    "a key that is none": {"X-API-Key": "kbr_x_y"},
}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session() as session:
        yield session


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("mode", schemathesis.GenerationMode, ids=lambda mode: mode.value)
def test_every_answer_is_a_documented_one(
    api: Api, session: Session, label: str, mode: schemathesis.GenerationMode
) -> None:
    cases = OPERATIONS[label].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=cases)
    def ask(case: schemathesis.Case[Any]) -> None:
        for headers in CALLERS.values():
            response = case.call(base_url=api.url, session=session, headers=headers, timeout=30)
            case.validate_response(response, checks=CHECKS)

    # Of a request that takes anything nothing can be wrong, so nothing is asked.
    with suppress(Unsatisfiable):
        ask()
