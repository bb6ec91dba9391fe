"""When a call is made again: pure, so that the blocking and the asynchronous client do the same."""

import math
import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from kabar_client.failures import Answered, KabarError, Unreachable, Unreadable, failure
from kabar_client.requests import Call

T = TypeVar("T")
LONGEST_WAIT = 10.0
_UNANSWERED = {502, 503, 504}


@dataclass(frozen=True)
class Patience:
    """How often a call is made at most, and the seconds before it is made again (then twice as long each time).

    `running`: for how many seconds a call waits for its own first try, whose answer was lost, while Kabar is at it.
    """

    tries: int = 4
    first_wait: float = 0.5
    running: float = 600.0


@dataclass(frozen=True)
class Wait:
    seconds: float


Came = httpx.Response | httpx.RequestError
Step = Generator["Call[T] | Wait", "Came | None", T]


def conversation(call: Call[T], patience: Patience, clock: Callable[[], float] = time.monotonic) -> Step[T]:
    """Yields what to do next (make the call, or wait) and is sent what came of it; returns what was answered."""
    ends = math.inf
    failed = waited = 0
    while True:
        came = yield call
        try:
            return _read(call, came)
        except KabarError as error:
            if _running(error):
                now = clock()
                ends = min(ends, now + patience.running)
                if now >= ends:
                    raise
            else:
                failed += 1
                if failed == patience.tries or not _passes(error):
                    raise
        yield Wait(_wait(waited, patience, came))
        waited += 1


def _read(call: Call[T], came: Came | None) -> T:
    named = f"{call.method} {call.path}"
    if isinstance(came, httpx.Response):
        request_id = came.headers.get("X-Request-Id")
        if not came.is_success:
            raise failure(came.status_code, _body(came), request_id)
        try:
            return call.read(came.json())
        except (ValueError, TypeError, KeyError) as error:
            raise Unreadable(named, came.status_code, request_id) from error
    if isinstance(came, httpx.TransportError):
        raise Unreachable(f"{named}: {type(came).__name__}") from came
    raise Unreadable(named) from came  # it came, but packed wrongly, or sent from address to address


def _running(error: KabarError) -> bool:
    """A 409 of ours is our own first try."""
    return isinstance(error, Answered) and error.status == 409 and error.code == "IDEMPOTENCY_CONFLICT"


def _passes(error: KabarError) -> bool:
    """Whether the same call may succeed later."""
    return not isinstance(error, Answered) or error.status in _UNANSWERED


def _wait(number: int, patience: Patience, came: Came | None) -> float:
    own = patience.first_wait * 2.0 ** min(number, 10) * random.uniform(0.8, 1.2)  # noqa: S311 - only spreads load
    told = came.headers.get("Retry-After") if isinstance(came, httpx.Response) else None
    asked = float(told) if told is not None and told.isdecimal() else 0.0
    return min(max(own, asked), LONGEST_WAIT)


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
