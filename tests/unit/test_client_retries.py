"""When a call of the client is made again, and with what."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from kabar_client import (
    AsyncKabar,
    Conflicting,
    Kabar,
    Limited,
    Refused,
    Unavailable,
    Unreachable,
    Unreadable,
    requests,
)
from kabar_client.retrying import Patience, Wait, conversation

ACCEPTED = {"success": True, "notification_id": "ntf_1", "deliveries": 1, "estimated_finish": None, "rejected": []}
AT_ONCE = Patience(tries=4, first_wait=0.0)
Reply = Callable[[httpx.Request], httpx.Response]


def kabar(*replies: httpx.Response | Exception) -> tuple[Kabar, list[httpx.Request]]:
    """A client whose calls are answered in turn, and the calls it made."""
    made: list[httpx.Request] = []
    left = list(replies)

    def reply(request: httpx.Request) -> httpx.Response:
        made.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = Kabar("http://kabar.example", api_key="kbr_1", patience=AT_ONCE)
    client._made_with["transport"] = httpx.MockTransport(reply)
    return client, made


def error(status: int, code: str, **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"success": False, "error": "no", "code": code, **more})


def test_what_got_no_answer_is_asked_again_with_the_same_key() -> None:
    client, made = kabar(
        httpx.ReadTimeout("slow"), error(503, "UNAVAILABLE"), error(409, "IDEMPOTENCY_CONFLICT"),
        httpx.Response(202, json=ACCEPTED),
    )  # fmt: skip
    with client as open_client:
        assert open_client.send("custom", to="6281200000001", message="x").notification_id == "ntf_1"
    keys = {request.headers["Idempotency-Key"] for request in made}
    assert (len(made), len(keys)) == (4, 1)
    assert made[0].headers["X-API-Key"] == "kbr_1"


def test_two_calls_have_two_keys_unless_one_is_given() -> None:
    client, made = kabar(*[httpx.Response(202, json=ACCEPTED)] * 3)
    with client as open_client:
        open_client.send("custom", to="x", message="x")
        open_client.send("custom", to="x", message="x")
        open_client.send("custom", to="x", message="x", idempotency_key="mine")
    first, second, third = (request.headers["Idempotency-Key"] for request in made)
    assert first != second
    assert third == "mine"
    assert b"idempotency_key" not in made[2].content


def test_what_is_wrong_is_not_asked_again_and_says_which_field() -> None:
    problem = [{"field": "to", "error": "not a number"}]
    client, made = kabar(error(422, "INVALID_PHONE", fields=problem))
    with client as open_client, pytest.raises(Refused) as raised:
        open_client.send("custom", to="x", message="x")
    assert len(made) == 1
    assert (raised.value.status, raised.value.code) == (422, "INVALID_PHONE")
    assert raised.value.fields == {"to": "not a number"}


def test_a_limit_says_until_when() -> None:
    client, _ = kabar(error(429, "MINUTE_LIMIT_EXCEEDED", reset_at="2025-11-15T02:00:00Z"))
    with client as open_client, pytest.raises(Limited) as raised:
        open_client.send("custom", to="x", message="x", direct=True)
    assert raised.value.reset_at is not None
    assert raised.value.reset_at.year == 2025


def test_patience_ends() -> None:
    client, made = kabar(*[httpx.ConnectError("refused")] * 4)
    with client as open_client, pytest.raises(Unreachable, match="GET /api/notifications/ntf_1"):
        open_client.notification("ntf_1")
    assert len(made) == 4
    client, _ = kabar(*[httpx.Response(503, text="<html>")] * 4)
    with client as open_client, pytest.raises(Unavailable):
        open_client.notification("ntf_1")


async def test_the_asynchronous_one_does_the_same() -> None:
    replies: list[httpx.Response | Exception] = [httpx.ReadTimeout("slow"), httpx.Response(202, json=ACCEPTED)]

    def reply(_: httpx.Request) -> httpx.Response:
        answer = replies.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = AsyncKabar("http://kabar.example", token="t", patience=AT_ONCE)
    client._made_with["transport"] = httpx.MockTransport(reply)
    async with client:
        assert (await client.send("custom", to="x", message="x")).deliveries == 1


def test_while_the_first_try_runs_it_is_waited_for_until_a_deadline() -> None:
    running = [error(409, "IDEMPOTENCY_CONFLICT")] * 9
    client, made = kabar(httpx.ReadTimeout("slow"), *running, httpx.Response(202, json=ACCEPTED))
    with client as open_client:
        assert open_client.send("custom", to="x", message="x").notification_id == "ntf_1"
    assert len(made) == 11
    seconds = iter(range(100))
    talk = conversation(requests.cancel_notification("ntf_1"), Patience(running=5.0), lambda: float(next(seconds)))
    for _ in range(5):
        next(talk)
        assert isinstance(talk.send(error(409, "IDEMPOTENCY_CONFLICT")), Wait)
    next(talk)
    with pytest.raises(Conflicting):
        talk.send(error(409, "IDEMPOTENCY_CONFLICT"))


def test_another_conflict_is_told_at_once() -> None:
    client, made = kabar(error(409, "TYPE_DISABLED"))
    with client as open_client, pytest.raises(Conflicting):
        open_client.send("custom", to="x", message="x")
    assert len(made) == 1


def test_rows_have_the_time_they_take_and_the_key_they_are_given() -> None:
    told = httpx.Response(200, json={"success": True})
    row = httpx.Response(200, json={"success": True, "id": "C-1", "outcome": "unchanged"})
    client, made = kabar(told, told, row, told)
    with client as open_client:
        open_client.put_csv("customers", "id\nC-1\n", idempotency_key="file")
        open_client.put_rows("customers", [{"id": "C-1"}], idempotency_key="rows")
        open_client.put_row("customers", "C-1", {}, idempotency_key="row")
        open_client.put_csv("customers", "id\nC-1\n")
    assert [request.headers["Idempotency-Key"] for request in made[:3]] == ["file", "rows", "row"]
    assert made[3].headers["Idempotency-Key"]
    assert [request.extensions["timeout"]["read"] for request in made] == [600.0, 600.0, 35.0, 600.0]
    assert {request.extensions["timeout"]["connect"] for request in made} == {35.0}


@pytest.mark.parametrize("body", [b"<html>", b"{", b"", b"\xff\xfe\xff", b"[]", b'{"x": 1}', b"1"])
async def test_an_answer_that_is_none_of_kabars_is_said_to_be_unreadable(body: bytes) -> None:
    def answer(_: object = None) -> httpx.Response:
        return httpx.Response(200, content=body, headers={"X-Request-Id": "r-1"})

    client, made = kabar(*[answer() for _ in range(8)])
    with client as open_client:
        with pytest.raises(Unreadable) as raised:
            open_client.notification("ntf_1")
        assert (raised.value.status, raised.value.request_id, len(made)) == (200, "r-1", 4)
        with pytest.raises(Unreadable):
            list(open_client.deliveries())
    asynchronous = AsyncKabar("http://kabar.example", token="t", patience=AT_ONCE)
    asynchronous._made_with["transport"] = httpx.MockTransport(answer)
    async with asynchronous:
        with pytest.raises(Unreadable):
            await asynchronous.notification("ntf_1")


@pytest.mark.parametrize("raised", [httpx.DecodingError, httpx.TooManyRedirects])
async def test_nothing_of_httpx_gets_out(raised: type[httpx.RequestError]) -> None:
    client, made = kabar(*[raised("cut")] * 4)
    with client as open_client, pytest.raises(Unreadable, match="GET /api/notifications/ntf_1"):
        open_client.notification("ntf_1")
    assert len(made) == 4

    def reply(_: httpx.Request) -> httpx.Response:
        raise raised("cut")

    asynchronous = AsyncKabar("http://kabar.example", token="t", patience=AT_ONCE)
    asynchronous._made_with["transport"] = httpx.MockTransport(reply)
    async with asynchronous:
        with pytest.raises(Unreadable):
            await asynchronous.notification("ntf_1")


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"fields": 1, "rejected": {"a": 1}, "code": null}', b'{"fields": ["to"]}']
)
def test_an_error_of_somebody_else_says_its_status_and_request(body: bytes) -> None:
    client, _ = kabar(httpx.Response(413, content=body, headers={"X-Request-Id": "r-2"}))
    with client as open_client, pytest.raises(Refused) as raised:
        open_client.send("custom", to="x", message="x")
    assert (raised.value.status, raised.value.request_id, raised.value.fields) == (413, "r-2", {})


@pytest.mark.parametrize("url", ["kabar.example", "ftp://kabar.example", "http://", "http://kabar:x", ""])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        Kabar(url, token="t")


def test_a_client_has_one_name() -> None:
    with pytest.raises(ValueError, match="either a token or an api_key"):
        Kabar("http://kabar.example", api_key="a", token="b")
