"""Why a request is not done.

- `Refused`: the request is wrong (422)
  - `Unknown`: it speaks of something the directory does not know, so far (422)
  - `Malformed`: its body cannot be read at all (400)
  - `Oversized`: its body is too large (413)
  - `Unsupported`: its body is of another media type (415)
- `Unauthenticated`: nobody knows who asks (401)
- `Forbidden`: known, but not allowed (403)
- `Missing`: there is no such thing (404)
- `Conflicting`: it does not fit what is (409)
- `Limited`: a limit is reached (429)
- `Unavailable`: something we lean on is away (503)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Code(StrEnum):
    """The codes this service gives in its errors."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    EMPTY_MESSAGE = "EMPTY_MESSAGE"
    INVALID_PHONE = "INVALID_PHONE"
    INVALID_EMAIL = "INVALID_EMAIL"
    NO_EMAIL_TEXT = "NO_EMAIL_TEXT"
    CHANNEL_OFF = "CHANNEL_OFF"
    DUPLICATE_RECIPIENT = "DUPLICATE_RECIPIENT"
    NO_RECIPIENT = "NO_RECIPIENT"
    TYPE_DISABLED = "TYPE_DISABLED"
    BEYOND_VALIDITY = "BEYOND_VALIDITY"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    NOT_REPLAYABLE = "NOT_REPLAYABLE"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    NO_SENDER = "NO_SENDER"
    RETRY_FAILED = "RETRY_FAILED"
    MINUTE_LIMIT_EXCEEDED = "MINUTE_LIMIT_EXCEEDED"
    HOUR_LIMIT_EXCEEDED = "HOUR_LIMIT_EXCEEDED"
    DAY_LIMIT_EXCEEDED = "DAY_LIMIT_EXCEEDED"
    SYNC_LIMIT_EXCEEDED = "SYNC_LIMIT_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field and what to write instead."""

    field: str
    error: str


@dataclass(eq=False)
class Refused(Exception):  # noqa: N818 - failures are adjectives here
    """The request is wrong. `details` stand in the answer beside the error shape."""

    code: Code
    error: str
    problems: Sequence[Problem] = ()
    details: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.error


@dataclass(eq=False)
class Unknown(Refused):
    """It speaks of a row the directory does not know, or of what is not known of it, so far: the row may be told later
    than what speaks of it. `row` and `identity` say which row is not known, where it is one (`ticket`, `T-1`).
    """

    row: str = ""
    identity: str = ""


class Unreachable(Refused):
    """It is an alert, and nobody would get it."""


class Malformed(Refused):
    """The body cannot be read at all."""


class Oversized(Refused):
    """The body is too large."""


class Unsupported(Refused):
    """The body is of a media type we do not read."""


class Unauthenticated(Refused):
    """Nobody knows who asks."""


class Forbidden(Refused):
    """Whoever asks may not."""


class Missing(Refused):
    """There is no such thing."""


class Conflicting(Refused):
    """It does not fit what is."""


class Limited(Refused):
    """A limit is reached; `details` say which and until when."""


class Unavailable(Refused):
    """Something we lean on is away; the same request succeeds later."""


def invalid(field_name: str, error: str, code: Code = Code.VALIDATION_ERROR) -> Refused:
    """One field is wrong."""
    return Refused(code, f"{field_name}: {error}", [Problem(field_name, error)])


def unknown(
    field_name: str, error: str, *, row: str = "", identity: str = "", code: Code = Code.VALIDATION_ERROR
) -> Unknown:
    """One field speaks of what is not known."""
    return Unknown(code, f"{field_name}: {error}", [Problem(field_name, error)], row=row, identity=identity)


def missing(what: str, identity: str) -> Missing:
    """There is no such thing under this identity."""
    return Missing(Code.NOT_FOUND, f"there is no {what} {identity[:80]}")


def unavailable(what: str) -> Unavailable:
    """MongoDB is away."""
    return Unavailable(Code.UNAVAILABLE, what)
