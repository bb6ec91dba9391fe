"""What becomes of an envelope whose handler failed."""

import pytest
from pydantic import ValidationError

from common.contracts.events import NotificationAccepted
from common.kernel.failures import Permanent, Transient
from common.messaging.verdict import DEFECT_ATTEMPTS, Bury, Retry, verdict


class DriverError(Exception):
    """What a driver raises while its server is away."""


@pytest.mark.parametrize(
    ("attempt", "after"), [(0, 0.2), (1, 0.4), (2, 0.8), (3, 1.6), (4, 3.2), (5, 5.0), (100, 5.0), (10_000, 5.0)]
)
def test_what_is_away_is_waited_for_without_end(attempt: int, after: float) -> None:
    assert verdict(Transient("away"), attempt) == Retry(after)
    assert verdict(DriverError("away"), attempt, transient=(DriverError,)) == Retry(after)


@pytest.mark.parametrize(
    ("attempt", "decided"),
    [(0, Retry(0.1)), (1, Retry(0.4)), (2, Bury("DriverError: odd")), (3, Bury("DriverError: odd"))],
)
def test_an_unexpected_error_is_the_envelopes_after_three_tries(attempt: int, decided: Retry | Bury) -> None:
    assert verdict(DriverError("odd"), attempt) == decided
    assert DEFECT_ATTEMPTS == 3


def test_what_can_never_succeed_is_buried_with_its_reason() -> None:
    assert verdict(Permanent("no such route"), 0) == Bury("no such route")


def test_an_invalid_envelope_is_buried_with_every_field_that_is_wrong_and_no_value() -> None:
    with pytest.raises(ValidationError) as refusal:
        NotificationAccepted.decode(b'{"notification_ids": [6281200000001, {}]}')
    decided = verdict(refusal.value, 0)
    assert isinstance(decided, Bury)
    assert "notification_ids.0: " in decided.reason
    assert "notification_ids.1: " in decided.reason
    assert "6281200000001" not in decided.reason
