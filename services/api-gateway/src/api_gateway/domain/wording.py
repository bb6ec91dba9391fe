"""What the validation found, in plain words."""

from collections.abc import Callable, Mapping
from typing import Any

_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "needed",
    "string_type": lambda _: "must be a text",
    "string_too_short": lambda limit: f"needs at least {limit['min_length']:,} characters",
    "string_too_long": lambda limit: f"at most {limit['max_length']:,} characters",
    "string_pattern_mismatch": lambda limit: f"must match {limit['pattern']}",
    "list_type": lambda _: "must be a list",
    "too_short": lambda limit: f"needs at least {limit['min_length']:,}",
    "too_long": lambda limit: f"at most {limit['max_length']:,}",
    "dict_type": lambda _: "must be an object, like {…}",
    "model_type": lambda _: "must be an object, like {…}",
    "model_attributes_type": lambda _: "must be an object, like {…}",
    "bool_type": lambda _: "must be true or false",
    "int_type": lambda _: "must be a number",
    "float_type": lambda _: "must be a number",
    "int_parsing": lambda _: "must be a whole number",
    "int_parsing_size": lambda _: "must be a smaller number",
    "finite_number": lambda _: "must be a finite number",
    "greater_than": lambda limit: f"must be more than {limit['gt']:,}",
    "greater_than_equal": lambda limit: f"must be at least {limit['ge']:,}",
    "less_than_equal": lambda limit: f"must be at most {limit['le']:,}",
    "enum": lambda known: f"must be one of {_listed(known)}",
    "literal_error": lambda known: f"must be one of {_listed(known)}",
}


def in_words(problem: Mapping[str, Any]) -> str:
    """One of pydantic's errors as somebody would say it."""
    words = _WORDS.get(problem["type"])
    return str(problem["msg"]).removeprefix("Value error, ") if words is None else words(problem.get("ctx") or {})


def _listed(known: Mapping[str, Any]) -> str:
    return str(known["expected"]).replace("'", "").replace(" or ", ", ")
