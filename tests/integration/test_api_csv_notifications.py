"""A notification whose recipients come as a CSV is what it would be with the same rows as `items`."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.rendering.messages import render_message
from tests.support.api import Api, Document, assert_error
from tests.support.directory_rows import tell_examples

NUMBER = "6281200000001"
HALO: dict[str, Any] = {"type": "custom", "message": "Halo {{ name }}, tagihan Anda {{ amount }}."}


async def submit(
    api: Api, content: Any, role: str = "admin", headers: dict[str, str] | None = None, **shared: Any
) -> httpx.Response:
    async with api.client(role) as client:
        sent = {"Content-Type": "text/csv", **(headers or {})}
        return await client.post("/api/notifications", content=content, headers=sent, params=shared)


def stored(api: Api, answer: httpx.Response) -> Document:
    assert answer.status_code == 202, answer.text
    found = api.rows["notifications"].find_one({"_id": answer.json()["notification_id"]})
    assert found is not None
    return found


def kept(document: Document) -> Document:
    """Without what differs from one to the next."""
    own = ("_id", "created_at", "expires_at", "wake_at", "estimated_finish", "status", "planned_pages")
    return {name: value for name, value in document.items() if name not in own}


@pytest.mark.parametrize(
    "content",
    [
        b"to,name,amount\n0812-0000-0001,Sari,Rp 250.000\n6281200000002,Budi,Rp 300.000\n",
        b"\xef\xbb\xbfTo;name;amount\r\n0812-0000-0001;Sari;Rp 250.000\r\n\r\n6281200000002;Budi;Rp 300.000",
    ],
    ids=["commas", "as spreadsheets write it"],
)
async def test_rows_are_kept_exactly_as_items(api: Api, content: bytes) -> None:
    items = [
        {"to": "0812-0000-0001", "data": {"name": "Sari", "amount": "Rp 250.000"}},
        {"to": "6281200000002", "data": {"name": "Budi", "amount": "Rp 300.000"}},
    ]
    async with api.client() as client:
        of_items = await client.post("/api/notifications", json={**HALO, "priority": "low", "items": items})
    of_csv = await submit(api, content, **HALO, priority="low")
    assert kept(stored(api, of_csv)) == kept(stored(api, of_items))
    assert of_csv.json().keys() == of_items.json().keys()
    assert (of_csv.json()["deliveries"], of_csv.json()["totalSent"], of_csv.json()["rejected"]) == (2, 2, [])
    assert of_csv.headers["location"] == f"/api/notifications/{of_csv.json()['notification_id']}"


async def test_a_bad_row_is_named_by_its_line_and_field_and_the_good_ones_are_kept(api: Api) -> None:
    content = (
        "to,name,amount\n"
        "6281200000001,Sari,1\n"
        '021 5550100,"Bu\r\nAni",2\n'
        "6281200000002,Budi\n"
        "6281200000003,,3\n"
        "6281200000001,Sari,1\n"
        ",Tono,4\n"
        '6281200000004,"Tini,5\n'
        "6281200000005,Yanto,6\n"
    )
    answer = await submit(api, content, **HALO)
    assert [one["to"] for one in stored(api, answer)["audience"]] == ["6281200000001", "6281200000005"]
    rejected = answer.json()["rejected"]
    assert [(one["index"], one["line"], one["field"], one["code"]) for one in rejected] == [
        (1, 3, "to", "INVALID_PHONE"),
        (2, 5, None, "VALIDATION_ERROR"),
        (3, 6, "message", "VALIDATION_ERROR"),
        (4, 7, "to", "DUPLICATE_RECIPIENT"),
        (5, 8, "to", "INVALID_PHONE"),
        (6, 9, None, "VALIDATION_ERROR"),
    ]
    assert "name" in rejected[2]["error"]
    assert rejected[0]["value"] == "021 ****100"
    refused = assert_error(await submit(api, "to,name\n1,Sari\n2,Budi\n", **HALO), 422, "VALIDATION_ERROR")
    assert [(one["line"], one["field"]) for one in refused["rejected"]] == [(2, "message"), (3, "message")]


async def test_a_row_may_have_a_text_of_its_own_and_without_data_it_is_sent_as_written(api: Api) -> None:
    content = 'to,message\n6281200000001,\n6281200000002,"Hai, {{ Budi }}"\n'
    found = stored(api, await submit(api, content, type="custom", message="100 % {{ asli }}"))
    texts = [render_message(found, member)[0] for member in found["audience"]]  # type: ignore[arg-type]
    assert texts == ["100 % {{ asli }}", "Hai, {{ Budi }}"]


async def test_where_there_are_columns_of_data_a_row_without_any_is_no_free_text(api: Api) -> None:
    answer = await submit(api, "to,name\n6281200000001,Sari\n6281200000002,\n", type="custom", message="Hai {{ name }}")
    assert [(one["line"], one["field"]) for one in answer.json()["rejected"]] == [(3, "message")]
    assert len(stored(api, answer)["audience"]) == 1


async def test_rows_of_a_type_have_its_data(api: Api) -> None:
    tell_examples(api.rows)
    invoice = next(iter(api.rows["invoices"].find()))["_id"]
    content = (
        "To;Invoice ID;daysLeft\n"
        f"6281200000001;{invoice};3\n6281200000002;{invoice};soon\n6281200000003;I-none;3\n6281200000004;;3\n"
    )
    answer = await submit(api, content, type="payment_reminder", priority="high")
    (member,) = stored(api, answer)["audience"]
    assert (member["to"], member["data"]["days_left"]) == ("6281200000001", 3)
    rejected = answer.json()["rejected"]
    assert [(one["line"], one["field"]) for one in rejected] == [(3, "days_left"), (4, "invoice_id"), (5, "invoice_id")]


@pytest.mark.parametrize(
    ("content", "shared", "status", "field"),
    [
        ("", HALO, 422, "body"),
        ("to,name,amount\n", HALO, 422, "body"),
        ("to\n", {"type": "emergency_alert"}, 422, "body"),
        ("name,amount\nSari,1\n", HALO, 422, "to"),
        ("to,Nama Lengkap\n6281200000001,Sari\n", HALO, 422, "Nama Lengkap"),
        ("to,name,Name\n6281200000001,Sari,x\n", HALO, 422, "Name"),
        ("to,invoice_id,colour\n", {"type": "payment_reminder"}, 422, "colour"),
        ("to,message\n6281200000001,x\n", {"type": "welcome"}, 422, "message"),
        ("to,code\n6281200000001,123456\n", {"type": "otp"}, 422, "items"),
        ("to\n6281200000001\n", {"message": "hai"}, 422, "type"),
        ("to\n6281200000001\n", {"type": "nonsense"}, 422, "type"),
        ("to\n6281200000001\n", {**HALO, "priority": "soon"}, 422, "priority"),
        ("to\n6281200000001\n", {**HALO, "providers": "meta"}, 422, "providers.0"),
        ("to\n6281200000001\n", {**HALO, "validity_seconds": "-1"}, 422, "validity_seconds"),
        ("to\n6281200000001\n", {**HALO, "direct": "true"}, 422, "direct"),
        ("to\n6281200000001\n", {**HALO, "colour": "red"}, 422, "colour"),
        ("to\n" + "6281200000001\n" * 10_001, HALO, 413, "body"),
        ("to\n" + "6281200000001\n" * 700_000, HALO, 413, "body"),
    ],
    ids=range(18),
)
async def test_what_is_no_list_of_recipients_is_refused_as_a_whole(
    api: Api, content: str, shared: dict[str, Any], status: int, field: str
) -> None:
    before = api.rows["notifications"].count_documents({})
    code = "PAYLOAD_TOO_LARGE" if status == 413 else "VALIDATION_ERROR"
    assert_error(await submit(api, content, **shared), status, code, field=field)
    assert api.rows["notifications"].count_documents({}) == before


async def test_more_than_a_call_may_bring_is_refused_however_it_is_sent(api: Api) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"to,note\n"
        for _ in range(1_000):
            yield b"6281200000001," + b"x" * 10_000 + b"\n"

    assert_error(await submit(api, endless(), **HALO), 413, "PAYLOAD_TOO_LARGE", field="body")


async def test_what_a_csv_shares_is_refused_beside_json(api: Api) -> None:
    async with api.client() as client:
        body = {"type": "custom", "to": NUMBER, "message": "hai"}
        refused = await client.post("/api/notifications", json=body, params={"priority": "high"})
    assert_error(refused, 422, "VALIDATION_ERROR", field="priority")


async def test_the_same_key_accepts_a_file_once_and_no_other_file(api: Api) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    first = await submit(api, "to,name,amount\n6281200000001,Sari,1\n", headers=headers, **HALO)
    again = await submit(api, "to,name,amount\n6281200000001,Sari,1\n", headers=headers, **HALO)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await submit(api, "to,name,amount\n6281200000001,Sari,2\n", headers=headers, **HALO)
    assert_error(other, 422, "IDEMPOTENCY_CONFLICT", field="Idempotency-Key")
    other = await submit(
        api, "to,name,amount\n6281200000001,Sari,1\n", headers=headers, **{**HALO, "message": "{{ name }}"}
    )
    assert_error(other, 422, "IDEMPOTENCY_CONFLICT", field="Idempotency-Key")


@pytest.mark.parametrize(("role", "kind"), [("cs", "custom"), ("technician", "promotion"), ("noc", "welcome")])
async def test_who_may_not_send_a_type_may_not_as_a_csv(api: Api, role: str, kind: str) -> None:
    assert_error(await submit(api, "to\n6281200000001\n", role, type=kind), 403, "FORBIDDEN")
