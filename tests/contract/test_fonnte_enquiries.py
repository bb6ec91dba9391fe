"""What Fonnte answers when a message is taken back, and what that proves."""

from datetime import UTC, datetime

import pytest

from common.contracts.events import DoubtedAttempt, Report, Reported
from common.contracts.vocabulary import FailureClass
from gateway_fonnte.domain.enquiries import FonnteEnquiries

NOW = datetime(2025, 11, 18, 3, 0, tzinfo=UTC)
DOUBTED = DoubtedAttempt(delivery_id="dlv_1", number=2, sender="fonnte-1", provider_message_id="170000001")


def proved(content: dict[str, object]) -> Report | None:
    return FonnteEnquiries("https://api.fonnte.com/send").read_fate(content, DOUBTED, NOW)


@pytest.mark.parametrize("state", ["processing", "sent"])
@pytest.mark.parametrize("key", ["reason", "detail"])
def test_what_cannot_be_taken_back_any_more_was_taken(state: str, key: str) -> None:
    answer = {"status": False, key: f"Cannot delete message with status {state}"}
    expected = Report(reported=Reported.SENT, at=NOW, reference="dlv_1.2", message_id="170000001")
    assert proved(answer) == expected


def test_what_was_taken_back_was_not_sent() -> None:
    report = proved({"status": True, "detail": "message 170000001 successfully deleted"})
    assert report is not None
    assert (report.reported, report.failure) == (Reported.NOT_SENT, FailureClass.DISCONNECTED)


@pytest.mark.parametrize("reason", ["invalid token", "invalid message id", ""])
def test_every_other_refusal_proves_nothing(reason: str) -> None:
    assert proved({"status": False, "reason": reason}) is None
