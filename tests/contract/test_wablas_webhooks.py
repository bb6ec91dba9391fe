"""Every webhook Wablas is known to post means exactly one thing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from common.contracts.events import Report, Reported, Webhook
from common.contracts.vocabulary import FailureClass
from gateway.domain.webhooks import DeviceSaid, MessageSaid, NotUnderstood, Told, Unreadable
from gateway_wablas.domain.webhooks import WablasWebhooks

NOW = datetime(2025, 11, 18, 3, 0, tzinfo=UTC)
WRITTEN_AT = NOW - timedelta(seconds=4, milliseconds=1)
"""The end of the second that the sample names."""
DEVICE = "6281200000801"
TRACKING = {
    "id": "00000000-0000-4000-8000-000000000001",
    "phone": "6281200000001",
    "status": "delivered",
    "note": "",
    "sender": DEVICE,
    "deviceId": "DEVICE1",
}
INCOMING: dict[str, Any] = {
    "id": "3EB1",
    "pushName": "Pelanggan",
    "isGroup": False,
    "group": {"sender": "", "subject": "", "owner": "", "desc": "", "participants": []},
    "message": "Halo",
    "phone": "6281200000001",
    "messageType": "text",
    "file": "",
    "url": "",
    "mimeType": "",
    "deviceId": "DEVICE1",
    "sender": DEVICE,
    "isFromMe": False,
    "timestamp": (NOW - timedelta(seconds=5)).isoformat(),
    "profileImage": "",
}
GROUP = {"isGroup": True, "phone": "120363000000000001", "group": {"sender": "6281200000002"}}


def read(body: object, *, content_type: str = "application/json") -> list[Told]:
    text = body if isinstance(body, str) else json.dumps(body)
    return list(WablasWebhooks().read(Webhook(content_type=content_type, body=text, received_at=NOW)))


@pytest.mark.parametrize(
    ("word", "reported", "failure"),
    [
        ("sent", Reported.SENT, None),
        ("delivered", Reported.DELIVERED, None),
        ("received", Reported.DELIVERED, None),
        ("read", Reported.READ, None),
        ("reject", Reported.FAILED, FailureClass.UNCLASSIFIED),
        ("rejected", Reported.FAILED, FailureClass.UNCLASSIFIED),
        ("cancel", Reported.NOT_SENT, FailureClass.UNCLASSIFIED),
    ],
)
def test_every_word_in_json_and_as_a_form(word: str, reported: Reported, failure: FailureClass | None) -> None:
    body = {**TRACKING, "status": word}
    error = word if failure else None
    expected = Report(reported=reported, at=NOW, message_id=TRACKING["id"], failure=failure, error=error)
    assert read(body) == read(urlencode(body), content_type="application/x-www-form-urlencoded") == [expected]


def test_pending_is_no_news() -> None:
    assert read({**TRACKING, "status": "pending"}) == []


@pytest.mark.parametrize(
    ("note", "failure"),
    [("463", FailureClass.DISCONNECTED), ("rate-overlimit", FailureClass.DISCONNECTED),
     ("format phone invalid", FailureClass.RECIPIENT)],
)  # fmt: skip
def test_a_note_says_why(note: str, failure: FailureClass) -> None:
    [told] = read({**TRACKING, "status": "rejected", "note": note})
    assert isinstance(told, Report)
    assert (told.failure, told.error) == (failure, f"rejected: {note}")


def test_our_reference_is_read_where_it_is_told() -> None:
    [told] = read({**TRACKING, "ref_id": "dlv_1.2"})
    assert isinstance(told, Report)
    assert told.reference == "dlv_1.2"


def test_somebody_wrote_to_our_device_which_is_the_sender() -> None:
    assert read(INCOMING) == [MessageSaid("DEVICE1", "3EB1", "6281200000001", None, "Halo", WRITTEN_AT)]


@pytest.mark.parametrize("change", [{}, {"isGroup": "true"}, {"phone": "120363000000000001@g.us"}])
def test_in_a_group_the_phone_is_the_group(change: dict[str, Any]) -> None:
    [told] = read({**INCOMING, **GROUP, **change})
    assert isinstance(told, MessageSaid)
    assert (told.group, told.message_from) == ("120363000000000001@g.us", "6281200000002")


def test_a_group_as_a_form() -> None:
    body = {**INCOMING, **GROUP, "group": "", "group[sender]": "6281200000002", "isGroup": "true", "isFromMe": "false"}
    [told] = read(urlencode(body), content_type="application/x-www-form-urlencoded")
    assert isinstance(told, MessageSaid)
    assert told.message_from == "6281200000002"


@pytest.mark.parametrize("told", [True, "true", "1", 1])
def test_the_echo_of_our_own_words_is_nobodys(told: object) -> None:
    assert read({**INCOMING, "isFromMe": told}) == []


def test_what_is_no_text_is_a_message_too() -> None:
    [told] = read({**INCOMING, "message": "File", "messageType": "image"})
    assert isinstance(told, MessageSaid)
    assert told.text == "File"


@pytest.mark.parametrize(
    ("status", "note", "connected"),
    [("connected", "ready to use", True), ("disconnected", "not connected, scan QR", False),
     ("ready to use", "", True), ("not connected, scan QR", "", False)],
)  # fmt: skip
def test_a_device_comes_and_goes(status: str, note: str, connected: bool) -> None:  # noqa: FBT001
    body = {"deviceId": "DEVICE1", "deviceName": "x", "sender": DEVICE, "status": status, "note": note}
    assert read(body) == [DeviceSaid("DEVICE1", connected, note or None, NOW)]


def test_what_makes_no_sense_takes_no_other_object_with_it() -> None:
    told = read([{**TRACKING, "status": "server"}, {}, {**TRACKING, "status": "read"}])
    assert [type(one) for one in told] == [NotUnderstood, NotUnderstood, Report]
    assert told[0] == NotUnderstood("a state nobody knows: server")


@pytest.mark.parametrize(
    "body", ["", "{", "[1]", {}, {"id": "1"}, {"id": "1", "status": "dancing"}, {"deviceId": "1", "status": "dancing"}]
)
def test_what_makes_no_sense_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        read(body)
