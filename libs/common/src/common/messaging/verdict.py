"""What becomes of an envelope whose handler failed."""

from dataclasses import dataclass

from pydantic import ValidationError

from common.kernel.failures import Permanent, Transient
from common.telemetry.failures import invalid_fields, summary

DEFECT_ATTEMPTS = 3
"""An unexpected error may pass (a race, a restart); one that does not within three tries is the envelope's."""


@dataclass(frozen=True)
class Retry:
    """Handle the same envelope again after so many seconds."""

    after: float


@dataclass(frozen=True)
class Bury:
    """Park the envelope with this reason; a person looks at it."""

    reason: str


def verdict(error: Exception, attempt: int, *, transient: tuple[type[Exception], ...] = ()) -> Retry | Bury:
    """Decide on a failed handling; `attempt` counts from 0. Only what is away is waited for without end."""
    if isinstance(error, (Transient, *transient)):
        return Retry(after=min(0.2 * 2.0 ** min(attempt, 5), 5.0))
    if isinstance(error, ValidationError):
        return Bury(f"not valid: {invalid_fields(error)}")
    if isinstance(error, Permanent):
        return Bury(str(error))
    if attempt + 1 < DEFECT_ATTEMPTS:
        return Retry(after=0.1 * 4.0**attempt)
    return Bury(summary(error))
