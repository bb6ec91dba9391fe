"""When a call is made again: pure, so that the blocking and the asynchronous client do the same."""

import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from kabar_client.failures import Unreachable, failure
from kabar_client.requests import Call

T = TypeVar("T")
LONGEST_WAIT = 10.0
_UNANSWERED = {502, 503, 504}


@dataclass(frozen=True)
class Patience:
    """How often a call is made at most, and the seconds before it is made again (then twice as long each time)."""

    tries: int = 4
    first_wait: float = 0.5


@dataclass(frozen=True)
class Wait:
    seconds: float


Step = Generator["Call[T] | Wait", "httpx.Response | httpx.TransportError | None", T]


def conversation(call: Call[T], patience: Patience) -> Step[T]:
    """Yields what to do next (make the call, or wait) and is sent what came of it; returns what was answered."""
    for number in range(patience.tries):
        last = number + 1 == patience.tries
        answer = yield call
        if isinstance(answer, httpx.Response):
            if answer.is_success:
                return call.read(answer.json())
            body = _body(answer)
            if last or not _passes(answer.status_code, str(body.get("code"))):
                raise failure(answer.status_code, body)
            yield Wait(_wait(number, patience, answer.headers.get("Retry-After")))
        elif last:
            raise Unreachable(f"{call.method} {call.path}: {type(answer).__name__}") from answer
        else:
            yield Wait(_wait(number, patience, None))
    raise AssertionError("unreachable")


def _passes(status: int, code: str) -> bool:
    """Whether the same call may succeed later; a 409 of ours is our own first try, which is still running."""
    return status in _UNANSWERED or (status == 409 and code == "IDEMPOTENCY_CONFLICT")


def _wait(number: int, patience: Patience, told: str | None) -> float:
    own = patience.first_wait * 2.0**number * random.uniform(0.8, 1.2)  # noqa: S311 - only spreads load
    asked = float(told) if told is not None and told.isdecimal() else 0.0
    return min(max(own, asked), LONGEST_WAIT)


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
