"""Every webhook Fonnte is known to post means exactly one thing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from common.contracts.events import Report, Reported, Webhook
from common.contracts.vocabulary import FailureClass
from gateway.domain.webhooks import DeviceSaid, MessageSaid, NotUnderstood, Told, Unreadable
from gateway_fonnte.domain.webhooks import FonnteWebhooks

NOW = datetime(2025, 11, 18, 3, 0, tzinfo=UTC)
WRITTEN_AT = NOW - timedelta(seconds=4, milliseconds=1)
"""The end of the second that the sample names."""
DEVICE = "6281200000901"
STATUS = {"device": DEVICE, "id": "170000001", "stateid": "3EB0", "status": "sent", "state": "sent"}
INCOMING: dict[str, Any] = {
    "device": DEVICE,
    "sender": "6281200000001",
    "message": "Halo",
    "text": "",
    "member": "",
    "name": "Pelanggan",
    "location": "",
    "pollname": "",
    "choices": "",
    "timestamp": int((NOW - timedelta(seconds=5)).timestamp()),
    "inboxid": 7,
}


def read(body: object, *, content_type: str = "application/json") -> list[Told]:
    text = body if isinstance(body, str) else json.dumps(body)
    return list(FonnteWebhooks().read(Webhook(content_type=content_type, body=text, received_at=NOW)))


def read_form(fields: dict[str, Any]) -> list[Told]:
    return read(urlencode(fields), content_type="application/x-www-form-urlencoded")


def multipart(fields: dict[str, Any]) -> str:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    return "".join([*parts, "--b--\r\n"])


SENT = Report(reported=Reported.SENT, at=NOW, message_id="170000001", state_id="3EB0")


@pytest.mark.parametrize(
    "told",
    [
        lambda: read(STATUS),
        lambda: read({**STATUS, "id": 170000001, "unknown": {"a": [1]}, "secret": "x"}),
        lambda: read([STATUS]),
        lambda: read(STATUS, content_type="text/plain"),
        lambda: read_form(STATUS),
        lambda: read(multipart(STATUS), content_type="multipart/form-data; boundary=b"),
    ],
)
def test_a_status_reads_the_same_however_it_is_written(told: Any) -> None:
    assert told() == [SENT]


@pytest.mark.parametrize(
    ("word", "reported", "failure"),
    [
        ("sent", Reported.SENT, None),
        ("delivered", Reported.DELIVERED, None),
        ("read", Reported.READ, None),
        ("Read", Reported.READ, None),
        ("invalid", Reported.FAILED, FailureClass.RECIPIENT),
        ("failed", Reported.FAILED, FailureClass.MESSAGE),
        ("url unreachable", Reported.FAILED, FailureClass.MESSAGE),
        ("expired", Reported.NOT_SENT, FailureClass.DISCONNECTED),
    ],
)
def test_every_word_by_id_alone(word: str, reported: Reported, failure: FailureClass | None) -> None:
    error = word if failure else None
    expected = Report(reported=reported, at=NOW, message_id="1", failure=failure, error=error)
    assert read({"device": DEVICE, "id": 1, "status": word}) == [expected]


@pytest.mark.parametrize("word", ["waiting", "pending", "processing"])
def test_what_is_under_way_is_no_news(word: str) -> None:
    assert read({"device": DEVICE, "id": 1, "status": word}) == []


@pytest.mark.parametrize("word", ["waiting", "pending", "processing"])
def test_what_is_under_way_tells_by_which_state_id_it_will_be_spoken_of(word: str) -> None:
    assert read({**STATUS, "status": word, "state": ""}) == [SENT]
    assert read({**STATUS, "status": word, "state": "sent"}) == [SENT]


@pytest.mark.parametrize("change", [{"state": "server"}, {"status": "server"}])
def test_a_word_nobody_knows_takes_none_of_the_others_with_it(change: dict[str, str]) -> None:
    assert read({**STATUS, **change}) == [SENT, NotUnderstood("a state nobody knows: server")]


@pytest.mark.parametrize("strange", [{"id": 1, "status": "dancing"}, {"device": DEVICE, "status": "dancing"}, {}, 7])
def test_what_makes_no_sense_takes_no_other_object_with_it(strange: object) -> None:
    told = read([strange, STATUS])
    assert [type(one) for one in told] == [NotUnderstood, Report]
    assert told[1] == SENT


def test_a_number_in_a_word_nobody_knows_is_not_told() -> None:
    [_, told] = read({**STATUS, "state": "6281200000001"})
    assert isinstance(told, NotUnderstood)
    assert not any(one.isdigit() for one in told.why)


def test_later_states_come_with_stateid_alone() -> None:
    assert read({"device": DEVICE, "stateid": "3EB0", "state": "delivered"}) == [
        Report(reported=Reported.DELIVERED, at=NOW, state_id="3EB0")
    ]


def test_a_status_and_a_later_state_in_one_are_two_reports() -> None:
    told = read({**STATUS, "state": "delivered"})
    assert [one.reported for one in told if isinstance(one, Report)] == [Reported.SENT, Reported.DELIVERED]


def test_somebody_wrote() -> None:
    assert (
        read(INCOMING) == read_form(INCOMING) == [MessageSaid(DEVICE, "7", "6281200000001", None, "Halo", WRITTEN_AT)]
    )


def test_in_a_group_the_member_wrote() -> None:
    [told] = read({**INCOMING, "sender": "120363000000000001@g.us", "member": "081200000002"})
    assert isinstance(told, MessageSaid)
    assert (told.group, told.message_from) == ("120363000000000001@g.us", "6281200000002")


def test_a_button_a_poll_and_what_is_no_text_are_messages_too() -> None:
    texts = [{"message": "", "text": "Ya"}, {"message": "", "choices": "A"}, {"message": "non-text message"}]
    told = [read({**INCOMING, **text})[0] for text in texts]
    assert [one.text for one in told if isinstance(one, MessageSaid)] == ["Ya", "A", "non-text message"]


@pytest.mark.parametrize("sender", [DEVICE, "081200000901"])
def test_the_echo_of_our_own_words_is_nobodys(sender: str) -> None:
    assert read({**INCOMING, "sender": sender}) == []


@pytest.mark.parametrize(("status", "connected"), [("connect", True), ("disconnect", False)])
def test_a_device_comes_and_goes(status: str, connected: bool) -> None:  # noqa: FBT001
    moment = NOW - timedelta(minutes=1, milliseconds=500)
    told = read({"device": DEVICE, "status": status, "timestamp": str(moment.timestamp()), "reason": "logged out"})
    assert told == [DeviceSaid(DEVICE, connected, "logged out", moment)]


@pytest.mark.parametrize(("after", "at"), [(0, 0), (400, 400), (999, 999), (60_000, 999), (-5_000, 0)])
def test_a_whole_second_may_be_any_moment_in_it_until_the_receipt(after: int, at: int) -> None:
    body = json.dumps({"device": DEVICE, "status": "disconnect", "timestamp": int(NOW.timestamp())})
    received_at = NOW + timedelta(milliseconds=after)
    webhook = Webhook(content_type="application/json", body=body, received_at=received_at)
    [told] = FonnteWebhooks().read(webhook)
    assert isinstance(told, DeviceSaid)
    assert told.at == NOW + timedelta(milliseconds=at)


@pytest.mark.parametrize(("timestamp", "at"), [("soon", NOW), (1, NOW), ("1" * 400, NOW), (True, NOW), (None, NOW)])
def test_a_moment_that_cannot_be_is_the_moment_of_receipt(timestamp: object, at: datetime) -> None:
    told = read({**STATUS, "timestamp": timestamp})[0]
    assert isinstance(told, Report)
    assert told.at == at


@pytest.mark.parametrize(
    "body",
    ["", " ", "{", "[1]", "null", "nothing", "[" * 100_000, {}, {"id": 1}, {"device": DEVICE, "status": "dancing"},
     {"id": 1, "status": "dancing"}],
)  # fmt: skip
def test_what_makes_no_sense_is_unreadable_and_says_why_without_quoting_a_number(body: object) -> None:
    with pytest.raises(Unreadable) as raised:
        read(body)
    assert DEVICE not in str(raised.value)
    assert str(raised.value)
