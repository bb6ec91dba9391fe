"""Whatever is sent, the answer is a 4xx in the error shape that names what is wrong."""

import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from common.contracts.vocabulary import NotificationType
from tests.support.api import Api, assert_error, token

NUMBER = '"6281200000001"'
GOOD = f'{{"type":"custom","to":{NUMBER},"message":"hai"}}'
DEEP = "[" * 100_000


def body(fields: str) -> bytes:
    return f'{{"type":"custom","to":{NUMBER},"message":"hai",{fields}}}'.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"null", "body"),
        (b"[]", "body"),
        (b'"x"', "body"),
        (b"1", "body"),
        (b"\xff\xfe{}", "body"),
        (b"\x00", "body"),
        (b"<xml/>", "body"),
        (DEEP.encode(), "body"),
        (b'{"a":' * 50_000, "body"),
        (body('"data":{"a":"\ud800"}'), "body"),
        (body('"validity_seconds":NaN'), "body"),
        (body('"validity_seconds":Infinity'), "body"),
        (b"{}", "type"),
        (b'{"type":null}', "type"),
        (b'{"type":{"$gt":""}}', "type"),
        (b'{"type":["custom"]}', "type"),
        (b'{"type":"nosuch","to":"6281200000001"}', "type"),
        (b'{"type":"promotion"}', "data.campaign_title"),
        (b'{"type":"promotion","data":{"campaignTitle":"x"}}', "data.validUntil"),
        (b'{"type":"welcome","message":"x"}', "message"),
        (b'{"type":"welcome","template":"ramadan"}', "template"),
        (b'{"type":"custom","to":"6281200000001","template":"Ramadan!"}', "template"),
        (b'{"type":"custom","to":"6281200000001","template":"ramadan","message":"x"}', "message"),
        (b'{"type":"custom","to":"6281200000001","template":"nosuch"}', "template"),
        (b'{"type":"custom"}', "to"),
        (b'{"type":"custom","to":null,"message":"x"}', "to"),
        (b'{"type":"custom","to":[],"message":"x"}', "to"),
        (b'{"type":"custom","to":{},"message":"x"}', "to"),
        (b'{"type":"custom","to":6281200000001,"message":"x"}', "to"),
        (b'{"type":"custom","items":[],"message":"x"}', "items"),
        (b'{"type":"custom","items":{},"message":"x"}', "items"),
        (b'{"type":"custom","items":[1],"message":"x"}', "items.0"),
        (b'{"type":"custom","items":[{"to":"6281200000001","x":1}],"message":"x"}', "items.0.x"),
        (b'{"type":"custom","items":[{}],"message":"x"}', "items.0.to"),
        (body(f'"items":[{{"to":{NUMBER}}}]'), "items"),
        (body('"colour":"red"'), "colour"),
        (body('"message":5'), "message"),
        (body('"message":["a"]'), "message"),
        (body('"message":"a\\u0000b"'), "message"),
        (body('"message":"a\\u001bb"'), "message"),
        (body('"priority":"urgent"'), "priority"),
        (body('"priority":1'), "priority"),
        (body('"force":"yes"'), "force"),
        (body('"direct":1'), "direct"),
        (body('"on_unknown":"guess"'), "on_unknown"),
        (body('"providers":[]'), "providers"),
        (body('"providers":["nosuch"]'), "providers.0"),
        (body('"providers":"fonnte"'), "providers"),
        (body('"validity_seconds":0'), "validity_seconds"),
        (body('"validity_seconds":-5'), "validity_seconds"),
        (body('"validity_seconds":1e999'), "body"),
        (body('"validity_seconds":"60"'), "validity_seconds"),
        (body('"validity_seconds":' + "9" * 400), "body"),
        (body('"validity_seconds":99999999999999999999'), "validity_seconds"),
        (body('"send_at":1763172000'), "send_at"),
        (body('"send_at":"yesterday"'), "send_at"),
        (body('"send_at":"2001-01-01T00:00:00Z"'), "send_at"),
        (body('"data":[]'), "data"),
        (body('"data":"x"'), "data"),
        (body('"data":{"a\\u0000":1}'), "data"),
        (body('"data":{"$where":1}'), "data"),
        (body('"data":{"a":18446744073709551615}'), "data.a"),
        (body('"data":{"a":' + "[" * 200 + "]" * 200 + "}"), "data.a.0.0.0.0.0"),
        (body('"data":{"a":' + "[" * 900 + "]" * 900 + "}"), "data.a.0.0.0.0.0"),
        (body('"data":{"a":"' + "x" * 20_000 + '"}'), "data.a"),
    ],
)
async def test_a_wrong_body_is_refused_by_name(api: Api, content: bytes, field: str) -> None:
    async with api.client() as client:
        response = await client.post("/api/notifications", content=content)
        with_key = await client.post("/api/notifications", content=content, headers={"Idempotency-Key": field})
    assert response.status_code == 422, response.text
    assert_error(response, 422, "VALIDATION_ERROR", field=field)
    assert_error(with_key, 422, "VALIDATION_ERROR", field=field)


@pytest.mark.parametrize("depth", [200, 900, 970, 980, 985, 990, 1_000, 1_020])
@pytest.mark.parametrize("place", ['"data":{"a":%s}', '"items":%s', '"colour":%s'])
async def test_however_deep_a_body_is_nested_it_is_refused(api: Api, depth: int, place: str) -> None:
    content = body(place % ("[" * depth + "]" * depth))
    async with api.client() as client:
        response = await client.post("/api/notifications", content=content, headers={"Idempotency-Key": "deep"})
    assert_error(response, 422, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "body: is empty"),
        (b"{}", "type: needed"),
        (b'{"type":"nosuch"}', f"type: must be one of {', '.join(NotificationType)}"),
        (b'{"type":"custom","to":6281200000001,"message":"x"}', 'to: must be a text like "6281200000001"'),
        (b'{"type":"custom","items":[],"message":"x"}', "items: needs at least 1"),
        (b'{"type":"custom","items":[1],"message":"x"}', "items.0: must be an object, like {…}"),
        (body('"message":5'), "message: must be a text"),
        (body('"message":"a\\u0007b"'), "message: control character U+0007 at position 2; remove it"),
        (body('"priority":"urgent"'), "priority: must be one of critical, high, normal, low"),
        (body('"force":"yes"'), "force: must be true or false"),
        (body('"providers":["nosuch"]'), "providers.0: must be one of fonnte, wablas"),
        (body('"validity_seconds":0'), "validity_seconds: must be more than 0"),
        (body('"validity_seconds":9999999'), "validity_seconds: must be at most 2,592,000"),
        (body('"validity_seconds":"60"'), "validity_seconds: must be a number"),
        (body('"data":[]'), "data: must be an object, like {…}"),
    ],
)
async def test_what_is_wrong_is_said_in_plain_words(api: Api, content: bytes, error: str) -> None:
    async with api.client() as client:
        response = await client.post("/api/notifications", content=content)
    assert assert_error(response, 422, "VALIDATION_ERROR")["error"] == error


@pytest.mark.parametrize(
    "number", ["42", "+1 202 555 0100", "021 5550100", "628", "62812000000019999", "x@lid", "@g.us", "", "\u0000"]
)
async def test_a_number_that_is_none_is_refused_as_such(api: Api, number: str) -> None:
    async with api.client() as client:
        response = await client.post("/api/notifications", json={"type": "custom", "to": number, "message": "x"})
    assert_error(response, 422, "INVALID_PHONE")


async def test_of_a_name_given_twice_the_last_value_counts(api: Api) -> None:
    async with api.client() as client:
        response = await client.post("/api/notifications", content=body('"message":""'))
    assert_error(response, 422, "EMPTY_MESSAGE", field="message")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"])
async def test_another_media_type_is_refused(api: Api, media_type: str) -> None:
    async with api.client() as client:
        response = await client.post("/api/notifications", content=GOOD, headers={"Content-Type": media_type})
    assert_error(response, 415, "UNSUPPORTED_MEDIA_TYPE", field="Content-Type")


async def test_json_with_a_character_set_or_without_any_media_type_is_read(api: Api) -> None:
    async with api.client() as client:
        for headers in ({"Content-Type": "application/json; charset=utf-8"}, {}):
            response = await client.post("/api/notifications", content=GOOD, headers=headers)
            assert response.status_code == 202


async def test_a_body_that_says_it_is_too_large_is_refused_and_the_connection_goes_on(api: Api) -> None:
    async with api.client() as client:
        response = await client.post("/api/notifications", content=b"x" * 20_000_000)
        assert_error(response, 413, "PAYLOAD_TOO_LARGE", field="body")
        assert (await client.post("/api/notifications", content=GOOD)).status_code == 202


async def test_a_body_that_turns_out_too_large_is_refused(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1_000_000

    async with api.client() as client:
        response = await client.post("/api/notifications", content=chunks())
    assert_error(response, 413, "PAYLOAD_TOO_LARGE", field="body")


def test_reading_stops_at_the_limit_of_a_body_without_end(api: Api) -> None:
    parts = urlsplit(api.url)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        head = (
            "POST /api/notifications HTTP/1.1\r\nHost: kabar\r\nTransfer-Encoding: chunked\r\n"
            f"Authorization: Bearer {token()}\r\n\r\n"
        )
        connection.sendall(head.encode())
        chunk = b"%x\r\n" % 1_000_000 + b" " * 1_000_000 + b"\r\n"
        for _ in range(9):
            connection.sendall(chunk)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "kunci-ü".encode("latin-1")])
async def test_an_unusable_idempotency_key_is_refused(api: Api, key: str | bytes) -> None:
    headers = {b"Idempotency-Key": key.encode() if isinstance(key, str) else key}
    async with api.client() as client:
        response = await client.post("/api/notifications", content=GOOD, headers=headers)
    assert_error(response, 422, "VALIDATION_ERROR", field="Idempotency-Key")


@pytest.mark.parametrize(
    "path",
    ["/nope", "/api", "/api/notifications/", "/api/notifications/ntf_none", "/api/notifications/%00",
     "/api/notifications/%ff%fe", "/api/deliveries/dlv_none", "/api/deliveries/$gt", "/api/senders/none",
     "/docs", "/redoc", "/api/notifications/" + "x" * 5_000],
)  # fmt: skip
async def test_what_is_not_there_is_said_in_the_error_shape(api: Api, path: str) -> None:
    async with api.client() as client:
        assert_error(await client.get(path), 404, "NOT_FOUND")


async def test_what_is_not_there_is_named(api: Api) -> None:
    async with api.client() as client:
        body = assert_error(await client.get("/api/notification/081200000001"), 404, "NOT_FOUND")
    assert "/api/notification/0812*****001" in body["error"]


async def test_a_parameter_nothing_reads_is_refused_with_those_that_are(api: Api) -> None:
    async with api.client() as client:
        body = assert_error(await client.get("/api/dead-deliveries?page=2"), 422, "VALIDATION_ERROR", field="page")
        known = "status, type, code, provider, notification_id, since, until, limit, cursor"
        assert body["error"] == f"page: unknown parameter; known are {known}"
        none = assert_error(await client.post("/api/notifications?dry=1", content=GOOD), 422, "VALIDATION_ERROR")
        assert none["error"] == "dry: this request takes no parameters"
    async with api.client(None) as client:
        assert_error(await client.get("/api/dead-deliveries?page=2"), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/notifications"), ("GET", "/api/notifications"), ("PUT", "/api/deliveries/x"),
     ("GET", "/api/deliveries/x/cancel"), ("POST", "/livez"), ("PATCH", "/admin/whatsapp-queue/status")],
)  # fmt: skip
async def test_another_method_is_said_in_the_error_shape(api: Api, method: str, path: str) -> None:
    async with api.client() as client:
        response = await client.request(method, path)
    body = assert_error(response, 405, "METHOD_NOT_ALLOWED")
    assert path in body["error"]
    assert body["error"].endswith(response.headers["allow"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=" + "9" * 400, "limit"),
        ("limit=1e2", "limit"), ("status=lost", "status"), ("type=nosuch", "type"), ("provider=nosuch", "provider"),
        ("recipient=abc", "recipient"), ("recipient=%00", "recipient"), ("since=today", "since"),
        ("until=99999-01-01", "until"), ("cursor=x", "cursor"), ("cursor=%ff", "cursor"), ("cursor=eA==", "cursor"),
        ("since=2025-11-16&until=2025-11-15", "until"), ("since=2025-11-15&until=2025-11-15", "until"),
        ("since=2025-11-15&until=99999-01-01", "until"), ("since=today&until=2025-11-15", "since"),
        ("q=hello", "q"), ("state=sent", "state"), ("status=sent&notification=x", "notification"),
    ],
)  # fmt: skip
async def test_a_wrong_filter_is_refused_by_name(api: Api, query: str, field: str) -> None:
    async with api.client() as client:
        response = await client.get(f"/api/deliveries?{query}")
    assert_error(response, 422, "VALIDATION_ERROR", field=field)


@pytest.mark.parametrize("path", ["/api/notifications/x/cancel", "/api/deliveries/x/cancel", "/api/senders/x/pause"])
async def test_what_needs_no_body_takes_none_that_says_something(api: Api, path: str) -> None:
    async with api.client() as client:
        body = assert_error(await client.post(path, json={"why": "x"}), 422, "VALIDATION_ERROR", field="why")
        assert body["error"] == "why: this request takes no body"
        assert_error(await client.post(path, json={}), 404, "NOT_FOUND")
        assert_error(await client.post(path), 404, "NOT_FOUND")


@pytest.mark.parametrize("content", [b'{"ids":[]}', b'{"ids":"x"}', b'{"ids":[1]}', b"{}", b'{"ids":null}'])
async def test_which_dead_deliveries_must_be_said(api: Api, content: bytes) -> None:
    async with api.client() as client:
        for act in ("retry", "discard"):
            response = await client.post(f"/api/dead-deliveries/{act}", content=content)
            found = assert_error(response, 422, "VALIDATION_ERROR")
            assert found["fields"][0]["field"].startswith("ids")
