"""Every answer Wablas is known to give means exactly one thing."""

import json
from typing import Any

import pytest

from common.contracts.vocabulary import FailureClass
from gateway.domain.answer import Accepted, Refused, Unknown
from gateway_wablas.domain.dialect import WablasDialect
from tests.support.gateways.answering import ACCOUNT, Answering, answer_to, asked_for, exchanged

SEND = "https://server.wablas.com/api/v2/send-message"
UUID = "00000000-0000-4000-8000-000000000001"
ITEM: dict[str, Any] = {
    "id": UUID,
    "phone": 6281200000001,
    "message": "text",
    "status": "pending",
    "ref_id": "",
}


def accepted(*, item: dict[str, Any] | None = None, **device: Any) -> dict[str, Any]:
    whole = {"device_id": "DEVICE1", "quota": 999, "messages": [{**ITEM, **(item or {})}], **device}
    return {"status": True, "message": "Message is pending and waiting to be processed", "data": whole}


@pytest.fixture
def dialect() -> WablasDialect:
    return WablasDialect(SEND)


@pytest.mark.parametrize(
    ("content", "message_id", "quota"),
    [
        (accepted(), UUID, 999),
        (accepted(item={"phone": "6281200000001"}), UUID, 999),
        (accepted(item={"ref_id": None}), UUID, 999),
        (accepted(item={"ref_id": "dlv_1.2"}), UUID, 999),
        (accepted(item={"id": 42}), "42", 999),
        (accepted(item={"status": True}), UUID, 999),
        (accepted(item={"message": "isi: token invalid"}), UUID, 999),
        (accepted(quota="unlimited"), UUID, None),
        (accepted(quota=None), UUID, None),
        ({**accepted(), "status": "true"}, UUID, 999),
        ({"status": True, "message": "x", "data": {"messages": [ITEM]}}, UUID, None),
        ({"status": True, "message": "x", "data": {"quota": 5, "messages": ITEM}}, UUID, 5),
        ({"status": True, "message": "x", "data": [{"device_id": "D", "quota": 7, "messages": [ITEM]}]}, UUID, 7),
        ({"status": True, "message": "x", "data": [{"device_id": "D", "quota": 7, "message": ITEM}]}, UUID, 7),
        ({"status": True, "message": "x", "data": [{"device_id": "D", "quota": 7, "message": [ITEM]}]}, UUID, 7),
        ({"status": True, "message": "Message is pending and waiting to be processed"}, None, None),
    ],
)
async def test_an_accepted_message_has_its_id_as_text_and_tells_the_quota(
    dialect: WablasDialect, content: dict[str, Any], message_id: str | None, quota: int | None
) -> None:
    assert await answer_to(dialect, content) == Accepted(message_id, quota)


MESSAGES = {
    "token invalid or device expired": FailureClass.AUTH,
    "secret key invalid": FailureClass.AUTH,
    "need secret key": FailureClass.AUTH,
    "not authorized": FailureClass.AUTH,
    "IP not whitelisted": FailureClass.AUTH,
    "device disconnected, need to scan qr code again": FailureClass.DISCONNECTED,
    "device not found": FailureClass.DISCONNECTED,
    "device blocked": FailureClass.DISCONNECTED,
    "error 463": FailureClass.DISCONNECTED,
    "rate-overlimit": FailureClass.DISCONNECTED,
    "sending too fast": FailureClass.DISCONNECTED,
    "quota exceeded": FailureClass.QUOTA,
    "format phone invalid": FailureClass.RECIPIENT,
    "param invalid": FailureClass.MESSAGE,
    "words never seen before": FailureClass.UNCLASSIFIED,
}


@pytest.mark.parametrize(("message", "failure"), MESSAGES.items())
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500, 502, 503])
async def test_a_refusal_has_its_messages_class_whatever_the_http_status(
    dialect: WablasDialect, message: str, failure: FailureClass, status: int
) -> None:
    assert await answer_to(dialect, {"status": False, "message": message}, status) == Refused(failure, message)


@pytest.mark.parametrize("status", [False, "false", "failed", "reject", "rejected"])
async def test_a_failed_item_in_a_good_batch_is_a_refusal(dialect: WablasDialect, status: object) -> None:
    content = accepted(item={"status": status, "message": "format phone invalid"})
    assert await answer_to(dialect, content) == Refused(FailureClass.RECIPIENT, "format phone invalid")


@pytest.mark.parametrize(
    "content", [b"", b"<html><body>404</body></html>", b'{"status":true,"mess', b"[]", {}, {"message": "Server Error"}]
)
@pytest.mark.parametrize("status", [200, 500, 504, 520, 524])
async def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(
    dialect: WablasDialect, content: object, status: int
) -> None:
    assert isinstance(await answer_to(dialect, content, status), Unknown)


async def test_the_call_is_one_item_with_our_reference_and_the_text_as_it_is(dialect: WablasDialect) -> None:
    text = '*Halo* {a|b} "kutip"\nbaris 🙏'
    answering = Answering(body=b"{}")
    await exchanged(dialect, answering, asked_for(text=text))
    [request] = answering.asked
    assert (request.method, str(request.url)) == ("POST", SEND)
    assert request.headers["authorization"] == ACCOUNT.credential
    assert json.loads(request.content) == {
        "data": [{"phone": "6281200000001", "message": text, "isGroup": "false", "ref_id": "dlv_1.2"}]
    }


@pytest.mark.parametrize(
    ("group", "phone"),
    [
        ("120363000000000001@g.us", "120363000000000001"),
        ("6281200000001-1700000000@g.us", "6281200000001-1700000000"),
    ],
)
async def test_a_group_goes_without_its_suffix(dialect: WablasDialect, group: str, phone: str) -> None:
    answering = Answering(body=b"{}")
    await exchanged(dialect, answering, asked_for(group))
    [item] = json.loads(answering.asked[0].content)["data"]
    assert (item["phone"], item["isGroup"]) == (phone, "true")


async def test_what_is_no_number_is_never_sent(dialect: WablasDialect) -> None:
    answering = Answering(body=b"{}")
    answer = await exchanged(dialect, answering, asked_for("6281200000001,6281200000002"))
    assert isinstance(answer, Refused)
    assert answering.asked == []
