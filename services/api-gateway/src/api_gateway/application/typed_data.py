"""Read the data a notification type is told with."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from api_gateway.domain.refusals import Code, Problem, Refused
from api_gateway.domain.texts import check_values
from api_gateway.domain.wording import in_words
from common.catalogue.shapes import Shape

MOST_PROBLEMS = 10
LONG_LISTS = ("target_customers", "targetCustomers")
"""Lists of identities: too long to be looked at value by value, and never shown to anybody."""


def read_data(shape: type[Shape], given: Mapping[str, object] | None, prefix: str) -> dict[str, Any]:
    """The values under their names in `snake_case`, as JSON; what is left out is absent.

    Raises `Refused` naming every wrong field as it was spelled, after `prefix`; with none in `camelCase`.
    """
    values = dict(given or {})
    check_values(prefix.rstrip(".") or "body", {name: it for name, it in values.items() if name not in LONG_LISTS})
    try:
        return shape.model_validate(values).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        raise _refused(error, shape, values, prefix) from error


def _refused(error: ValidationError, shape: type[Shape], values: Mapping[str, object], prefix: str) -> Refused:
    names = {field.alias or name: name for name, field in shape.model_fields.items()}
    if not prefix or any(name in values and name not in shape.model_fields for name in names):
        names = {alias: alias for alias in names}
    problems: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False)[:MOST_PROBLEMS]:
        first, *rest = one["loc"] or ("",)
        known = first if first in values else names.get(str(first), first)
        name = ".".join(str(part) for part in (known, *rest))
        advice = f"unknown field; known are {', '.join(names.values())}"
        problems.setdefault(prefix + name[:120], advice if one["type"] == "extra_forbidden" else in_words(one))
    found = [Problem(name, text) for name, text in problems.items()]
    return Refused(Code.VALIDATION_ERROR, "; ".join(f"{one.field}: {one.error}" for one in found), found)
