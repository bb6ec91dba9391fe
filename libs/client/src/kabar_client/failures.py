"""What a call may raise.

- `KabarError`
  - `Unreachable`: no answer came, not even after trying again; the same call with the same key is safe
  - `Unreadable`: what came is no answer of Kabar's (a proxy's page, half of one); again the same call is safe
  - `NotTaken`: the bus did not take what was published
  - `Refused`: the request is wrong (4xx); `fields` says what to change
    - `Unauthenticated` (401), `Forbidden` (403), `Missing` (404), `Conflicting` (409)
    - `Limited` (429): a limit is reached; `reset_at` says until when
  - `Unavailable`: Kabar could not do it now (5xx), not even after trying again
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


class KabarError(Exception):
    """Everything this library raises."""


class Unreachable(KabarError):  # noqa: N818 - failures are adjectives here
    """No answer came."""


class Unreadable(KabarError):  # noqa: N818 - failures are adjectives here
    """What came is no answer of Kabar's: nobody knows whether it was done. `status` is `None` where it got lost."""

    def __init__(self, call: str, status: int | None = None, request_id: str | None = None) -> None:
        super().__init__(f"{call}: {'an answer' if status is None else f'HTTP {status}'} that cannot be read")
        self.status = status
        self.request_id = request_id


class NotTaken(KabarError):  # noqa: N818 - failures are adjectives here
    """The bus did not take it: it is away, or nothing listens to that event."""


class Answered(KabarError):  # noqa: N818 - failures are adjectives here
    """Kabar answered with an error: `status`, its `code`, `fields` with what is wrong with each, and `rejected` with
    the recipients that cannot be accepted when none can. `request_id` is what whoever answered calls the request.
    """

    def __init__(self, status: int, body: Mapping[str, Any], request_id: str | None = None) -> None:
        super().__init__(str(body.get("error") or f"HTTP {status}"))
        self.status = status
        self.code = str(body.get("code") or "")
        self.fields = {str(one.get("field")): str(one.get("error")) for one in _objects(body.get("fields"))}
        self.rejected = _objects(body.get("rejected"))
        self.request_id = request_id
        self.body = body


class Refused(Answered):
    """The request is wrong; the same request is refused again."""


class Unauthenticated(Refused):
    """The token or the key is not valid."""


class Forbidden(Refused):
    """Whoever asks may not do this."""


class Missing(Refused):
    """There is no such thing."""


class Conflicting(Refused):
    """It does not fit what is."""


class Limited(Refused):
    """A limit is reached."""

    @property
    def reset_at(self) -> datetime | None:
        """When the limit leaves room again."""
        told = self.body.get("reset_at")
        return None if told is None else datetime.fromisoformat(str(told))


class Unavailable(Answered):
    """Kabar could not do it now."""


_BY_STATUS: dict[int, type[Answered]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: Missing,
    409: Conflicting,
    429: Limited,
}


def failure(status: int, body: Mapping[str, Any], request_id: str | None = None) -> Answered:
    """The exception for an answer that is no success."""
    return _BY_STATUS.get(status, Unavailable if status >= 500 else Refused)(status, body, request_id)


def _objects(found: object) -> list[Mapping[str, Any]]:
    """Not every error is an answer of Kabar's."""
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
