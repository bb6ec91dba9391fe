"""Lists are read a page at a time: `limit`, and `cursor` for where the page before ended."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from api_gateway.domain.refusals import invalid

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(description="The next_cursor of the page before.")]


def cursor_after(identity: str | None) -> str | None:
    """What asks for the page after the one that ends with an identity."""
    return None if identity is None else base64.urlsafe_b64encode(identity.encode()).decode()


def after_cursor(cursor: str | None, prefix: str = "") -> str | None:
    """The identity the page before ended with; raises `Refused` for what `cursor_after` never gave out."""
    if cursor is None:
        return None
    try:
        last = base64.urlsafe_b64decode(cursor.encode("ascii")).decode()
    except (ValueError, binascii.Error) as error:
        raise invalid("cursor", "must be the next_cursor of the page before") from error
    if not last.startswith(prefix) or cursor_after(last) != cursor:
        raise invalid("cursor", "must be the next_cursor of the page before")
    return last


def moment_and(at: datetime, identity: str) -> str:
    """Where a page of a list ordered by moments ended."""
    return f"{at.isoformat()}|{identity}"


def after_moment(cursor: str | None) -> tuple[datetime, str] | None:
    """The moment and the identity the page before ended with; raises `Refused` for what was never given out."""
    last = after_cursor(cursor)
    if last is None:
        return None
    at, _, identity = last.partition("|")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), identity
    except (ValueError, OverflowError) as error:
        raise invalid("cursor", "must be the next_cursor of the page before") from error
