"""What somebody is told who asks why a message did not arrive."""

from typing import cast

import pytest

from api_gateway.domain.verdicts import verdict
from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import DeliveryStatus
from tests.support.stored_deliveries import stored_delivery


@pytest.mark.parametrize("status", DeliveryStatus)
def test_every_status_has_a_sentence(status: DeliveryStatus) -> None:
    told = verdict(cast("DeliveryDocument", stored_delivery(status)))
    assert told.endswith(".")
    assert "()" not in told


def test_what_ended_badly_says_why_and_what_went_well_does_not_repeat_it() -> None:
    failed = stored_delivery("failed", reason="every provider failed")
    assert verdict(cast("DeliveryDocument", failed)) == "Nobody got it: every try failed (every provider failed)."
    sent = stored_delivery("sent", reason="left over")
    assert "left over" not in verdict(cast("DeliveryDocument", sent))
