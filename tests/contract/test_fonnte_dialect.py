"""Every answer Fonnte is known to give means exactly one thing."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from common.contracts.vocabulary import FailureClass
from gateway.domain.answer import Accepted, Refused, Unknown
from gateway_fonnte.domain.dialect import FonnteDialect
from tests.support.gateways.answering import ACCOUNT, Answering, answer_to, asked_for, exchanged

SEND = "https://api.fonnte.com/send"
SUCCESS: dict[str, Any] = {
    "detail": "success! message in queue",
    "id": [170000001],
    "process": "pending",
    "quota": {
        "6281200000009": {"details": "deduced from total quota", "quota": 1000, "remaining": 999, "used": 1},
    },
    "requestid": 700000001,
    "status": True,
    "target": ["6281200000001"],
}


@pytest.fixture
def dialect() -> FonnteDialect:
    return FonnteDialect(SEND)


@pytest.mark.parametrize(
    ("changes", "message_id", "quota"),
    [
        ({}, "170000001", 999),
        ({"id": ["170000001"]}, "170000001", 999),
        ({"id": "170000001"}, "170000001", 999),
        ({"id": 170000001}, "170000001", 999),
        ({"id": []}, None, 999),
        ({"id": None}, None, 999),
        ({"status": "true"}, "170000001", 999),
        ({"status": None, "Status": True}, "170000001", 999),
        ({"detail": "success! message will be sent on scheduled time"}, "170000001", 999),
        ({"detail": "success! message pending due to server issue, will be sent later"}, "170000001", 999),
        ({"quota": {"081200000009": {"remaining": "41"}}}, "170000001", 41),
        ({"quota": {}}, "170000001", None),
        ({"quota": "unlimited"}, "170000001", None),
        ({"quota": None}, "170000001", None),
        ({"requestid": None}, "170000001", 999),
    ],
)
async def test_an_accepted_message_has_its_id_as_text_and_tells_the_quota(
    dialect: FonnteDialect, changes: dict[str, Any], message_id: str | None, quota: int | None
) -> None:
    content = {key: value for key, value in {**SUCCESS, **changes}.items() if value is not None}
    assert await answer_to(dialect, content) == Accepted(message_id, quota)


REASONS = {
    "token invalid": FailureClass.AUTH,
    "invalid token": FailureClass.AUTH,
    "devices must belong to an account": FailureClass.AUTH,
    "unknown user": FailureClass.AUTH,
    "target invalid": FailureClass.RECIPIENT,
    "target input invalid": FailureClass.RECIPIENT,
    "input invalid": FailureClass.MESSAGE,
    "url invalid": FailureClass.MESSAGE,
    "file format not supported": FailureClass.MESSAGE,
    "file size must under 4MB": FailureClass.MESSAGE,
    "url unreachable": FailureClass.MESSAGE,
    "invalid/empty body value": FailureClass.BUG,
    "JSON format invalid": FailureClass.BUG,
    "insufficient quota": FailureClass.QUOTA,
    "request invalid on disconnected device": FailureClass.DISCONNECTED,
    "cannot fetch with disconnected device": FailureClass.DISCONNECTED,
    "invalid message request": FailureClass.UNCLASSIFIED,
    "words never seen before": FailureClass.UNCLASSIFIED,
}


@pytest.mark.parametrize(("reason", "failure"), REASONS.items())
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500, 502, 503])
async def test_a_refusal_has_its_reasons_class_whatever_the_http_status(
    dialect: FonnteDialect, reason: str, failure: FailureClass, status: int
) -> None:
    content = {"status": False, "reason": reason, "requestid": 700000002}
    assert await answer_to(dialect, content, status) == Refused(failure, reason)


@pytest.mark.parametrize(
    "content",
    [
        {"status": False, "reason": "invalid token"},
        {"status": "false", "reason": "invalid token"},
        {"Status": False, "reason": "invalid token"},
        {"status": False, "detail": "invalid token"},
        {"status": False, "message": "invalid token"},
        {"status": False, "reason": "", "detail": "invalid token"},
    ],
)
async def test_a_refusal_is_understood_in_each_of_its_spellings(
    dialect: FonnteDialect, content: dict[str, Any]
) -> None:
    assert await answer_to(dialect, content) == Refused(FailureClass.AUTH, "invalid token")


async def test_a_refusal_without_a_reason_is_still_a_refusal(dialect: FonnteDialect) -> None:
    assert await answer_to(dialect, {"status": False}) == Refused(FailureClass.UNCLASSIFIED, "refused without a reason")


@pytest.mark.parametrize(
    "content",
    [b"", b"  ", b"<html><body>hello</body></html>", b'{"detail":"success! mess', b"[]", b"true", b"\xff\xfe", {}, []],
)
@pytest.mark.parametrize("status", [200, 500, 504, 520, 524])
async def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(
    dialect: FonnteDialect, content: object, status: int
) -> None:
    assert isinstance(await answer_to(dialect, content, status), Unknown)


@pytest.mark.parametrize("content", [{"message": "Server Error"}, {"status": "ok"}, {"status": None}])
async def test_json_that_says_neither_yes_nor_no_leaves_the_outcome_unknown(
    dialect: FonnteDialect, content: object
) -> None:
    assert isinstance(await answer_to(dialect, content), Unknown)


async def test_a_yes_with_a_status_that_says_no_is_unknown(dialect: FonnteDialect) -> None:
    assert isinstance(await answer_to(dialect, SUCCESS, 500), Unknown)


async def test_the_call_is_a_form_with_the_raw_token_and_the_text_as_it_is(dialect: FonnteDialect) -> None:
    text = "*Halo* {nama}, Rp 100.000 & lunas?\nTerima kasih 🙏"
    answering = Answering(body=b"{}")
    await exchanged(dialect, answering, asked_for(text=text))
    [request] = answering.asked
    assert (request.method, str(request.url)) == ("POST", SEND)
    assert request.headers["authorization"] == ACCOUNT.credential
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.content.decode(), strict_parsing=True) == {
        "target": ["6281200000001"],
        "message": [text],
        "countryCode": ["62"],
        "connectOnly": ["true"],
    }


@pytest.mark.parametrize("group", ["120363000000000001@g.us", "6281200000001-1700000000@g.us"])
async def test_a_group_keeps_its_suffix(dialect: FonnteDialect, group: str) -> None:
    answering = Answering(body=b"{}")
    await exchanged(dialect, answering, asked_for(group))
    assert parse_qs(answering.asked[0].content.decode())["target"] == [group]


@pytest.mark.parametrize("recipient", ["6281200000001,6281200000002", "6281200000001|x", "", "a@s.whatsapp.net"])
async def test_a_target_that_would_become_several_is_never_sent(dialect: FonnteDialect, recipient: str) -> None:
    answering = Answering(body=b"{}")
    answer = await exchanged(dialect, answering, asked_for(recipient))
    assert isinstance(answer, Refused)
    assert answer.failure is FailureClass.RECIPIENT
    assert answering.asked == []
