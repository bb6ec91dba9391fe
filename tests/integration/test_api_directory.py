"""The directory over HTTP: one row, many as JSON, as many as there are as CSV."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.mongo.connection import connect
from common.mongo.erased_addresses import ErasedAddresses
from tests.support.api import Api, Document, assert_error, token

SARI = {"name": "Sari", "phone": "0812-0000-0001", "area": "Bandung", "status": "active"}
ROWS: dict[str, dict[str, Any]] = {
    "customers": {**SARI, "email": "sari@example.com", "address": "Jl. Melati 1", "packageId": "P-1"},
    "technicians": {"name": "Tono", "phone": "6281200000002", "area": "Bandung", "status": "active"},
    "staff": {"name": "Ani", "phone": "+62 812 0000 0003", "role": "supervisor", "status": "active"},
    "tickets": {"customerId": "C-1", "title": "Internet mati", "priority": "high", "deadline": "2025-11-18T09:00:00"},
    "invoices": {"customer_id": "C-1", "amount": 150_000, "dueDate": "2025-11-18", "status": "unpaid"},
    "packages": {"name": "Rumah 50", "price": 250_000, "speed": "50 Mbps"},
}
HEADER = "id,name,phone,area,status\n"


def fresh(prefix: str = "C") -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


async def send_csv(client: httpx.AsyncClient, content: Any, kind: str = "customers", **options: Any) -> httpx.Response:
    headers = {"Content-Type": "text/csv", **options.pop("headers", {})}
    return await client.post(f"/api/directory/{kind}", content=content, headers=headers, **options)


def counts(response: httpx.Response) -> dict[str, int]:
    assert response.status_code == 200, response.text
    body = response.json()
    return {name: body[name] for name in ("read", "new", "changed", "unchanged", "refused")}


def counted(read: int, new: int = 0, changed: int = 0, unchanged: int = 0, refused: int = 0) -> dict[str, int]:
    return {"read": read, "new": new, "changed": changed, "unchanged": unchanged, "refused": refused}


def row(api: Api, identity: str, kind: str = "customers") -> Document | None:
    return api.rows[kind].find_one({"_id": identity})


@pytest.mark.parametrize("kind", ROWS)
async def test_a_row_of_each_kind_is_told_and_read(api: Api, kind: str) -> None:
    identity = fresh("INV/2025")
    async with api.client() as client:
        first = await client.put(f"/api/directory/{kind}/{identity}", json=ROWS[kind])
        assert (first.status_code, first.json()["outcome"]) == (200, "new"), first.text
        again = (await client.put(f"/api/directory/{kind}/{identity}", json=ROWS[kind])).json()
        assert (again["outcome"], again["changed"]) == ("unchanged", [])
        shown = (await client.get(f"/api/directory/{kind}/{identity}")).json()
    assert shown == {name: value for name, value in first.json().items() if name in shown}
    assert shown["id"] == identity
    assert "0000" not in str(shown.get("phone"))
    if kind == "tickets":
        assert shown["deadline"] == "2025-11-18T02:00:00Z"


async def test_what_is_left_out_or_null_stays(api: Api) -> None:
    identity = fresh()
    async with api.client() as client:
        await client.put(f"/api/directory/customers/{identity}", json=SARI)
        told = (await client.put(f"/api/directory/customers/{identity}", json={"area": "Cimahi", "name": None})).json()
    assert (told["outcome"], told["changed"], told["name"], told["area"]) == ("changed", ["area"], "Sari", "Cimahi")
    stored = row(api, identity)
    assert stored is not None
    assert stored["phone"] == "6281200000001"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"phonne": "6281200000001"}, "phonne", "VALIDATION_ERROR"),
        ({"phone": "021-5550100"}, "phone", "INVALID_PHONE"),
        ({"phone": 6281200000001}, "phone", "VALIDATION_ERROR"),
        ({"status": "gone"}, "status", "VALIDATION_ERROR"),
        ({"name": "Sa\x00ri"}, "name", "VALIDATION_ERROR"),
        ({"id": "C-other"}, "id", "VALIDATION_ERROR"),
        ({"packageId": "P 1"}, "packageId", "VALIDATION_ERROR"),
    ],
)
async def test_a_row_that_cannot_be_kept_is_refused_by_field(
    api: Api, body: dict[str, Any], field: str, code: str
) -> None:
    identity = fresh()
    async with api.client() as client:
        refused = await client.put(f"/api/directory/customers/{identity}", json=body)
    assert_error(refused, 422, code, field=field)
    assert "5550100" not in refused.text
    assert row(api, identity) is None


async def test_of_many_rows_each_stands_alone(api: Api) -> None:
    good, known, bad = fresh(), fresh(), fresh()
    async with api.client() as client:
        await client.put(f"/api/directory/customers/{known}", json=SARI)
        items: list[Any] = [
            {"id": good, **SARI},
            {"id": known, **SARI},
            {"id": known, "area": "Cimahi"},
            {"id": bad, "phone": "0812-0000-00019999"},
            {"id": bad, "phonne": "6281200000077", "status": "gone"},
            {"name": "Sari"},
            "6281200000077",
        ]
        told = await client.post("/api/directory/customers", json={"items": items})
    assert counts(told) == counted(7, new=1, changed=1, unchanged=1, refused=4)
    refusals = told.json()["refusals"]
    assert [(one["row"], one["field"], one["code"]) for one in refusals] == [
        (4, "phone", "INVALID_PHONE"),
        (5, "status", "VALIDATION_ERROR"),
        (5, "phonne", "VALIDATION_ERROR"),
        (6, "id", "VALIDATION_ERROR"),
        (7, None, "VALIDATION_ERROR"),
    ]
    assert (refusals[0]["id"], refusals[0]["value"], refusals[0]["line"]) == (bad, "0812***********999", None)
    assert "known are id, name, phone" in refusals[2]["error"]
    assert "6281200000077" not in told.text
    assert row(api, bad) is None


async def test_a_row_that_was_sent_before_somebody_was_erased_is_left_out_alone(api: Api) -> None:
    """An import takes its time; what is sent afterwards stands."""
    hers, his = fresh(), fresh()
    number = "6281200000039"
    file = HEADER + f"{hers},Siti,{number},Bandung,active\n{his},Budi,6281200000038,Bandung,active\n"
    async with api.client() as client, connect(api.mongodb_url, name="test") as mongo:
        await ErasedAddresses(mongo).add([number], datetime.now(UTC) + timedelta(minutes=1))
        told = await send_csv(client, file)
        assert counts(told) == counted(2, new=1, refused=1)
        (refusal,) = told.json()["refusals"]
        assert (refusal["id"], refusal["field"], refusal["code"]) == (hers, "phone", "VALIDATION_ERROR")
        assert "was erased after this was told" in refusal["error"]
        assert number not in told.text
        refused = await client.put(f"/api/directory/customers/{hers}", json={"name": "Siti", "phone": number})
        assert_error(refused, 422, "VALIDATION_ERROR", field="phone")
        await mongo["erased_addresses"].update_many({}, {"$set": {"erased_at": datetime.now(UTC)}})
        await mongo["customers"].delete_many({"_id": hers})  # it says until when nothing is kept: a minute from now
        again = await client.put(f"/api/directory/customers/{hers}", json={"name": "Siti", "phone": number})
    assert again.json()["outcome"] == "new", again.text
    assert (row(api, hers) or {})["phone"] == number


@pytest.mark.parametrize("name", ["q", "area", "status"])
async def test_a_filter_with_a_control_character_is_refused(api: Api, name: str) -> None:
    async with api.client() as client:
        refused = await client.get("/api/directory/customers", params={name: "Sa\x00"})
    assert_error(refused, 422, "VALIDATION_ERROR", field=name)


@pytest.mark.parametrize(
    "body", [{}, {"items": []}, {"items": {}}, {"items": [{}] * 10_001}, {"rows": [{"id": "C-1"}]}]
)
async def test_what_is_no_list_of_rows_is_refused(api: Api, body: dict[str, Any]) -> None:
    async with api.client() as client:
        assert_error(await client.post("/api/directory/customers", json=body), 422, "VALIDATION_ERROR", field="items")


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
@pytest.mark.parametrize("delimiter", [",", ";"])
async def test_a_csv_is_read_as_spreadsheets_write_it(api: Api, begin: bytes, delimiter: str) -> None:
    first, second = fresh(), fresh()
    lines = [
        "ID,Name,Package ID,address",
        f'{first},Sari,P-1,"Jl. Melati 1\r\nRT ""5"""',
        f"{second}, Bu Ani ,,",
        ",,,",
    ]
    content = begin + "\r\n".join(lines).replace(",", delimiter).encode()
    async with api.client() as client:
        told = await send_csv(client, content)
        assert counts(told) == counted(2, new=2)
        assert counts(await send_csv(client, content)) == counted(2, unchanged=2)
    stored = [row(api, identity) or {} for identity in (first, second)]
    assert (stored[0]["address"], stored[0]["package_id"]) == ('Jl. Melati 1\nRT "5"', "P-1")
    assert stored[1]["name"] == "Bu Ani"
    assert "package_id" not in stored[1]


async def test_bad_rows_of_a_csv_are_refused_by_line_and_the_others_kept(api: Api) -> None:
    good, last = fresh(), fresh()
    content = (
        f"{HEADER}{good},Sari,081200000001,Bandung,active\n"
        "C-2,Budi,021 5550100,Bandung,active\n"
        'C-3,"Bu "Ani"",081200000003,Bandung,active\n'
        "C-4,Tono\n"
        "C-5,T\xff,081200000005,Bandung,active\n"
        "C-6,T\x00,081200000006,Bandung,active\n"
        'C-7,"Tini,081200000007,Bandung,active\n'
        "C 8,Tini,081200000008,Bandung,gone\n"
        f"{last},Yanto,081200000009,Bandung,active\n"
    ).encode("latin-1")
    async with api.client() as client:
        told = await send_csv(client, content)
    assert counts(told) == counted(9, new=2, refused=7)
    refusals = told.json()["refusals"]
    assert [(one["row"], one["line"], one["field"]) for one in refusals] == [
        (2, 3, "phone"), (3, 4, None), (4, 5, None), (5, 6, None), (6, 7, None), (7, 8, None), (8, 9, "id"),
        (8, 9, "status"),
    ]  # fmt: skip
    assert refusals[0]["value"] == "021 ****100"
    assert row(api, good)
    assert row(api, last)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "body"),
        (b"\n\n", "body"),
        (b"id,phonne\nC-1,x\n", "phonne"),
        (b"name\nSari\n", "id"),
        (b"id,name,Name\n", "name"),
        ("id,name\nC-1,Sari\n".encode("utf-16"), "header"),
        (b"id,\x00name\n", "header"),
        (b'id,"name\nC-1,Sari\n', "header"),
        (b"id,name\rC-1,Sari\r", "header"),
        (b"x" * 200_000, "header"),
        (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 1_000, None),
        (b"id,phonne\n" + b"C-1,x\n" * 1_000_000, "phonne"),
    ],
    ids=range(12),
)
async def test_a_file_whose_header_is_none_is_refused_as_a_whole(api: Api, content: bytes, field: str | None) -> None:
    before = api.rows["customers"].count_documents({})
    async with api.client() as client:
        refused = await send_csv(client, content)
    assert_error(refused, 422, "VALIDATION_ERROR", field=field)
    assert api.rows["customers"].count_documents({}) == before


async def test_only_the_first_thousand_refusals_are_listed(api: Api) -> None:
    async with api.client() as client:
        told = await send_csv(client, HEADER + "C-1,Sari,x,,\n" * 1_500)
    assert counts(told) == counted(1_500, refused=1_500)
    assert len(told.json()["refusals"]) == 1_000


async def test_a_dry_run_checks_everything_and_writes_nothing(api: Api) -> None:
    known, unknown = fresh(), fresh()
    async with api.client() as client:
        await client.put(f"/api/directory/customers/{known}", json=SARI)
        entries = api.rows["audit_log"].count_documents({})
        content = f"{HEADER}{known},Sari,,Cimahi,\n{unknown},Budi,,,\nC-x,Budi,x,,\n"
        told = await send_csv(client, content, params={"dry_run": "true"})
        assert counts(told) == counted(3, new=1, changed=1, refused=1)
        assert told.json()["dry_run"] is True
        items = {"items": [{"id": unknown}]}
        assert counts(await client.post("/api/directory/customers?dry_run=true", json=items)) == counted(1, new=1)
        single = await client.put(f"/api/directory/customers/{unknown}?dry_run=true", json=SARI)
        assert (single.status_code, single.json()["outcome"]) == (200, "new")
    assert row(api, unknown) is None
    assert (row(api, known) or {})["area"] == "Bandung"
    assert api.rows["audit_log"].count_documents({}) == entries


async def test_more_than_a_file_may_hold_is_refused(api: Api) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"id,name\n"
        for _ in range(60):
            yield b"C-1\n" * 10_000  # soon refused

    async with api.client() as client:
        refused = await send_csv(client, endless(), params={"dry_run": "true"})
    body = assert_error(refused, 413, "PAYLOAD_TOO_LARGE", field="body")
    assert body["read"] == 500_000


async def test_a_file_that_says_it_is_too_large_is_not_waited_for(api: Api) -> None:
    url = httpx.URL(api.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    length = 65 * 1024 * 1024
    writer.write(
        f"POST /api/directory/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\n"
        f"Content-Type: text/csv\r\nContent-Length: {length}\r\n\r\nid\n".encode()
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_a_csv_in_another_encoding_is_refused(api: Api) -> None:
    async with api.client() as client:
        refused = await send_csv(client, b"id\n", headers={"Content-Type": "text/csv; charset=windows-1252"})
        assert_error(refused, 415, "UNSUPPORTED_MEDIA_TYPE", field="Content-Type")
        assert counts(await send_csv(client, b"id\n", headers={"Content-Type": 'Text/CSV; charset="UTF-8"'}))


async def test_the_same_key_tells_a_file_once_and_no_other_file(api: Api) -> None:
    identity = fresh()
    headers = {"Idempotency-Key": uuid4().hex}
    async with api.client() as client:
        first = await send_csv(client, f"{HEADER}{identity},Sari,,,\n", headers=headers)
        again = await send_csv(client, f"{HEADER}{identity},Sari,,,\n", headers=headers)
        assert counts(first) == counts(again) == counted(1, new=1)
        assert again.headers["Idempotent-Replayed"] == "true"
        other = await send_csv(client, f"{HEADER}{identity},Budi,,,\n", headers=headers)
        assert_error(other, 422, "IDEMPOTENCY_CONFLICT", field="Idempotency-Key")
        dry = await send_csv(client, f"{HEADER}{identity},Sari,,,\n", headers=headers, params={"dry_run": "true"})
        assert_error(dry, 422, "IDEMPOTENCY_CONFLICT", field="Idempotency-Key")
    assert (row(api, identity) or {})["name"] == "Sari"


@pytest.mark.parametrize("state", ["abandoned", "running"], ids=["given up", "its process died"])
@pytest.mark.parametrize("way", ["row", "rows", "csv"])
async def test_a_repeated_call_does_not_beat_what_was_told_in_between(api: Api, way: str, state: str) -> None:
    identity, headers = fresh(), {"Idempotency-Key": uuid4().hex}

    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        match way:
            case "row":
                return await client.put(
                    f"/api/directory/customers/{identity}", json={"name": "Sari", "area": "Bandung"}, headers=headers
                )
            case "rows":
                items = {"items": [{"id": identity, "name": "Sari", "area": "Bandung"}]}
                return await client.post("/api/directory/customers", json=items, headers=headers)
            case _:
                return await send_csv(client, f"id,name,area\n{identity},Sari,Bandung\n", headers=headers)

    api.rows["idempotency_keys"].delete_many({})
    async with api.client() as client:
        assert (await ask(client)).status_code == 200
        await client.put(f"/api/directory/customers/{identity}", json={"name": "Budi"})
        long_ago = datetime.now(UTC) - timedelta(seconds=61)
        api.rows["idempotency_keys"].update_one(
            {"body": {"$exists": True}},  # as if it had died before it answered
            {"$set": {"state": state, "reserved_at": long_ago}, "$unset": {"status": "", "body": "", "location": ""}},
        )
        repeated = await ask(client)
    assert (repeated.status_code, "Idempotent-Replayed" in repeated.headers) == (200, False), repeated.text
    found = row(api, identity) or {}
    assert (found["name"], found["area"]) == ("Budi", "Bandung")


async def test_two_files_at_once_lose_nothing(api: Api) -> None:
    identities = [fresh() for _ in range(1_200)]
    names = "id,name\n" + "".join(f"{identity},Sari\n" for identity in identities)
    areas = "id,area\n" + "".join(f"{identity},Bandung\n" for identity in identities)
    async with api.client() as client:
        told = await asyncio.gather(send_csv(client, names), send_csv(client, areas))
    assert [counts(one)["refused"] for one in told] == [0, 0]
    assert (
        api.rows["customers"].count_documents({"_id": {"$in": identities}, "name": "Sari", "area": "Bandung"}) == 1_200
    )


async def test_the_list_goes_page_by_page_in_the_order_of_identities(api: Api) -> None:
    prefix = fresh()
    names = ["Sari", "sarah", "Budi", "Sa.i", "(Ani"]
    rows = [
        {"id": f"{prefix}-{number}", "name": name, "area": f"area {number % 2}"} for number, name in enumerate(names)
    ]
    async with api.client() as client:
        await client.post("/api/directory/staff", json={"items": rows})

        async def listed(**query: Any) -> list[str]:
            found = (await client.get("/api/directory/staff", params={"limit": "2", **query})).json()
            more = await listed(**{**query, "cursor": found["next_cursor"]}) if found["next_cursor"] else []
            return [one["id"].removeprefix(f"{prefix}-") for one in found["items"]] + more

        assert await listed(q=prefix) == ["0", "1", "2", "3", "4"]
        assert await listed(q=prefix, area="area 1") == ["1", "3"]
        assert await listed(q="sar", area="area 0") == ["0"]
        assert await listed(q="Sa.") == ["3"]
        assert await listed(q="(") == ["4"]
        assert await listed(status="active", q=prefix) == []
        assert await listed(q=prefix.upper()) == ["0", "1", "2", "3", "4"]


async def test_a_row_is_found_by_a_word_of_its_name_by_its_folded_form_and_by_its_whole_number(api: Api) -> None:
    identity = fresh()
    async with api.client() as client:

        async def found(q: str) -> bool:
            listed = await client.get("/api/directory/customers", params={"q": q, "limit": "200"})
            return identity in [one["id"] for one in listed.json()["items"]]

        for told in ({"name": "Siti  Áminah Zulkifli", "phone": "0812-0000-0789"}, {"name": "Siti Rahayu Zulkifli"}):
            await client.put(f"/api/directory/customers/{identity}", json=told)
            assert [await found(q) for q in ("siti", "ZULK", "0812 0000 0789")] == [True] * 3
            assert [await found(q) for q in ("iti", "ulk", "6281200000")] == [False] * 3
            renamed = "Rahayu" in told["name"]
            assert (await found("aminah  zul"), await found("rahayu z")) == (not renamed, renamed)


@pytest.mark.parametrize(
    ("method", "path", "status", "field"),
    [
        ("GET", "/api/directory/persons", 404, None),
        ("PUT", "/api/directory/persons/x", 404, None),
        ("POST", "/api/directory/persons", 404, None),
        ("GET", "/api/directory/customers/nobody", 404, None),
        ("GET", "/api/directory/customers?status=gone", 422, "status"),
        ("GET", "/api/directory/invoices?area=Bandung", 422, "area"),
        ("GET", "/api/directory/customers?colour=red", 422, "colour"),
        ("GET", "/api/directory/customers?cursor=!", 422, "cursor"),
        ("PUT", "/api/directory/customers/a%20b", 422, "id"),
        ("PUT", "/api/directory/customers/x?dry_run=maybe", 422, "dry_run"),
    ],
)
async def test_what_there_is_not_is_said(api: Api, method: str, path: str, status: int, field: str | None) -> None:
    async with api.client() as client:
        refused = await client.request(method, path, json=None if method == "GET" else {"items": []})
    assert_error(refused, status, "NOT_FOUND" if status == 404 else "VALIDATION_ERROR", field=field)


async def test_every_call_that_changes_something_is_in_the_audit_log_with_its_counts(api: Api) -> None:
    identity = fresh()
    async with api.client() as client:
        await client.put(f"/api/directory/customers/{identity}", json=SARI)
        await send_csv(client, f"{HEADER}{identity},Sari,,Cimahi,\nC-x,Budi,x,,\n")
        found = (await client.get("/api/audit-log", params={"action": "directory.tell", "limit": "2"})).json()["items"]
    assert [one["targets"] for one in found] == [["customers"], [f"customers/{identity}"]]
    assert found[0]["after"] == counted(2, changed=1, refused=1)
    assert found[1]["after"] == {"outcome": "new", "changed": ["name", "phone", "area", "status"]}
    assert "Sari" not in json.dumps(found)


@pytest.mark.parametrize(
    ("scopes", "method", "allowed"),
    [
        (["directory:read"], "GET", True),
        (["directory:read"], "PUT", False),
        (["directory:write"], "PUT", True),
        (["directory:write"], "POST", True),
        (["directory:write"], "GET", False),
        (["deliveries:read"], "GET", False),
    ],
)
async def test_a_service_may_do_what_its_key_is_for(api: Api, scopes: list[str], method: str, allowed: bool) -> None:  # noqa: FBT001
    async with api.client() as client:
        made = await client.post("/api/api-keys", json={"name": "crm", "scopes": scopes})
        key = made.json()["key"]
    path = "/api/directory/customers/C-1" if method == "PUT" else "/api/directory/customers"
    body = {"GET": None, "PUT": SARI, "POST": {"items": [{"id": "C-1"}]}}[method]
    async with api.client(None) as client:
        response = await client.request(method, path, json=body, headers={"X-API-Key": key})
    assert (response.status_code == 200) == allowed, response.text
    if not allowed:
        assert_error(response, 403, "FORBIDDEN")
