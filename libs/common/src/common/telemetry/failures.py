"""What may be said of an exception: never the document or the input it was raised for."""

import traceback
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

_CAUSED = "\n\nThe above exception was the direct cause of the following exception:\n\n"
_DURING = "\n\nDuring handling of the above exception, another exception occurred:\n\n"


def summary(error: BaseException) -> str:
    """The class and its text; of what a database driver or a validation says, only codes, counts and places."""
    return f"{type(error).__name__}: {_text(error)}".rstrip(": ")


def trace(error: BaseException) -> str:
    """A traceback with everything that led to it, in the words of `summary`."""
    return _trace(error, frozenset())


def invalid_fields(error: ValidationError) -> str:
    """The first five fields that are wrong and what is wrong with them, without their values."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[:5]
    return "; ".join(f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}" for problem in found)


def codes(details: Mapping[str, Any]) -> str:
    """The codes of a bulk write's result, each with how often it came: `2 x 11000, 1 x 50`."""
    found = Counter(one.get("code") for one in details.get("writeErrors") or ())
    found.update(one.get("code") for one in details.get("writeConcernErrors") or ())
    return ", ".join(f"{count} x {code}" for code, count in found.items())


def _text(error: BaseException) -> str:
    driver = type(error).__module__.partition(".")[0]
    details = getattr(error, "details", None)
    if isinstance(error, ValidationError):
        return invalid_fields(error)
    if driver == "bson":  # what could not be encoded is part of what it says
        return ""
    if driver == "pymongo" and hasattr(error, "code"):
        known = details if isinstance(details, Mapping) else {}
        return codes(known) or f"code {error.code} {known.get('codeName', '')}".rstrip()
    return str(error)


def _trace(error: BaseException, above: frozenset[int]) -> str:
    above |= {id(error)}
    cause, saying = error.__cause__, _CAUSED
    if cause is None and not error.__suppress_context__:
        cause, saying = error.__context__, _DURING
    before = _trace(cause, above) + saying if cause is not None and id(cause) not in above else ""
    steps = "".join(traceback.format_tb(error.__traceback__))
    own = f"{before}Traceback (most recent call last):\n{steps}{summary(error)}"
    if isinstance(error, BaseExceptionGroup):
        own += "".join(f"\n\nOne of the group:\n\n{_trace(one, above)}" for one in error.exceptions)
    return own
