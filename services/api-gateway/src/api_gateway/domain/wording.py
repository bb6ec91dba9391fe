"""What the validation found, in plain words."""

import re
from collections.abc import Callable, Mapping
from typing import Any

DATE = "must be a date, like 2025-11-18"
_EXAMPLES = ("T-1001", "08:30", "https://example.com/bayar", "nama@example.com", "123456", "kabar-terbaru")
"""Of what has to look like something: the first that does is shown."""
_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "needed",
    "string_type": lambda _: "must be a text",
    "string_too_short": lambda limit: _at_least(limit["min_length"]),
    "string_too_long": lambda limit: f"at most {limit['max_length']:,} characters",
    "string_pattern_mismatch": lambda known: _like(str(known["pattern"])),
    "list_type": lambda _: "must be a list",
    "too_short": lambda limit: f"needs at least {limit['min_length']:,}",
    "too_long": lambda limit: f"at most {limit['max_length']:,}",
    "dict_type": lambda _: "must be an object, like {…}",
    "model_type": lambda _: "must be an object, like {…}",
    "model_attributes_type": lambda _: "must be an object, like {…}",
    "bool_type": lambda _: "must be true or false",
    "int_type": lambda _: "must be a number",
    "float_type": lambda _: "must be a number",
    "int_from_float": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "float_parsing": lambda _: "must be a number",
    "date_type": lambda _: DATE,
    "date_parsing": lambda _: DATE,
    "date_from_datetime_parsing": lambda _: DATE,
    "date_from_datetime_inexact": lambda _: DATE,
    "int_parsing_size": lambda _: "must be a smaller number",
    "finite_number": lambda _: "must be a finite number",
    "greater_than": lambda limit: f"must be more than {_number(limit['gt'])}",
    "greater_than_equal": lambda limit: f"must be at least {_number(limit['ge'])}",
    "less_than_equal": lambda limit: f"must be at most {_number(limit['le'])}",
    "enum": lambda known: f"must be one of {_listed(known)}",
    "literal_error": lambda known: f"must be one of {_listed(known)}",
}


def in_words(problem: Mapping[str, Any]) -> str:
    """One of pydantic's errors as somebody would say it."""
    words = _WORDS.get(problem["type"])
    return str(problem["msg"]).removeprefix("Value error, ") if words is None else words(problem.get("ctx") or {})


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,}"


def _at_least(characters: int) -> str:
    return "must not be empty" if characters == 1 else f"needs at least {characters:,} characters"


def _like(pattern: str) -> str:
    fitting = [example for example in _EXAMPLES if re.search(pattern, example)]
    return f"must look like {fitting[0]}" if fitting else f"must match {pattern}"


def _listed(known: Mapping[str, Any]) -> str:
    return str(known["expected"]).replace("'", "").replace(" or ", ", ")
