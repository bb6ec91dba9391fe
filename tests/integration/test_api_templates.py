"""Templates over HTTP: everybody reads, an administrator publishes what could be sent, and every change is noted."""

import asyncio
from typing import Any

import pytest

from common.catalogue.definitions import DEFINITIONS
from common.contracts.vocabulary import NotificationType
from tests.support.api import Api, assert_error, wait_until
from tests.support.stored_deliveries import stored_sender

Document = dict[str, Any]
TYPES = sorted(kind.value for kind in NotificationType if kind is not NotificationType.CUSTOM)
OWN = "Halo {{ name }}, promo akhir tahun sudah tiba."


@pytest.fixture(autouse=True)
def nothing_else_stored(api: Api) -> None:
    """Versions never go away: each test publishes under a name of its own."""
    wait_until(lambda: api.rows["templates"].count_documents({"version": 1}) >= len(TYPES), "nothing was seeded")
    for collection in ("audit_log", "senders", "routes"):
        api.rows[collection].delete_many({})


async def get(api: Api, path: str, *, status: int = 200, role: str = "technician", **parameters: Any) -> Document:
    async with api.client(role) as client:
        response = await client.get(path, params=parameters)
    assert response.status_code == status, response.text
    answer: Document = response.json()
    return answer


async def publish(api: Api, name: str, *, status: int = 201, **body: Any) -> Document:
    async with api.client("admin", sub="sari") as client:
        response = await client.post(f"/api/templates/{name}", json=body)
    assert response.status_code == status, response.text
    answer: Document = response.json()
    return answer


async def refused(
    api: Api, path: str, body: Document, field: str, *, status: int = 422, code: str = "VALIDATION_ERROR"
) -> str:
    async with api.client() as client:
        response = await client.post(path, json=body)
    return str(assert_error(response, status, code, field=field)["error"])


async def preview(api: Api, name: str, **body: Any) -> Document:
    async with api.client("technician") as client:
        response = await client.post(f"/api/templates/{name}/preview", json=body)
    assert response.status_code == 200, response.text
    answer: Document = response.json()
    return answer


async def test_every_type_but_custom_has_a_template_from_the_start(api: Api) -> None:
    listed = await get(api, "/api/templates", limit=200)
    assert [one["name"] for one in listed["items"] if one["type"] != "custom"] == TYPES
    assert listed["next_cursor"] is None
    first = [await get(api, f"/api/templates/{kind}/versions/1") for kind in TYPES]
    assert {one["origin"] for one in first} == {"builtin"}
    mailed = ["payment_overdue", "payment_reminder", "quota_alert", "system_alert"]
    assert [one["name"] for one in first if "email" in one["channels"]] == mailed


async def test_the_list_is_read_a_page_at_a_time(api: Api) -> None:
    names: list[str] = []
    cursor: Document = {}
    for _ in range(20):
        page = await get(api, "/api/templates", limit=7, **cursor)
        names += [one["name"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert names == sorted(names)
    assert set(TYPES) <= set(names)


async def test_a_template_says_which_values_it_may_name(api: Api) -> None:
    shown = await get(api, "/api/templates/payment_reminder")
    assert shown["type"] == "payment_reminder"
    assert {"invoice_id", "days_left", "customer.name", "invoice.amount", "validity"} <= set(shown["values"])
    assert shown["versions"][-1]["id"] == "payment_reminder:1"
    assert shown["email_subject"].startswith("Tagihan")


async def test_a_published_version_is_the_current_one_and_leaves_the_others_as_they_were(api: Api) -> None:
    before = await get(api, "/api/templates/welcome")
    published = await publish(api, "welcome", whatsapp="Selamat datang, {{ customer.name | nama }}.")
    assert (published["id"], published["origin"], published["created_by"]) == ("welcome:2", "person", "sari")
    current = await get(api, "/api/templates/welcome")
    assert current["whatsapp"] == "Selamat datang, {{ customer.name | nama }}."
    assert [one["version"] for one in current["versions"]] == [2, 1]
    first = await get(api, "/api/templates/welcome/versions/1")
    assert first["whatsapp"] == before["whatsapp"]


async def test_what_is_left_out_stays_as_it_was(api: Api) -> None:
    before = await get(api, "/api/templates/payment_reminder")
    published = await publish(api, "payment_reminder", whatsapp="Tagihan {{ invoice_id }}")
    assert published["email_text"] == before["email_text"]
    published = await publish(api, "payment_reminder", email_subject="Tagihan {{ invoice_id }}")
    assert (published["version"], published["whatsapp"]) == (3, "Tagihan {{ invoice_id }}")


async def test_publishing_the_same_again_makes_no_version(api: Api) -> None:
    await publish(api, "account_activated", whatsapp="Selamat datang.")
    again = await publish(api, "account_activated", whatsapp="Selamat datang.", status=200)
    assert again["id"] == "account_activated:2"
    assert api.rows["audit_log"].count_documents({}) == 1


async def test_publishers_at_once_all_get_their_version(api: Api) -> None:
    published = await asyncio.gather(
        *(publish(api, "registration_confirmation", whatsapp=f"Halo {n}") for n in range(6))
    )
    assert sorted(one["version"] for one in published) == [2, 3, 4, 5, 6, 7]


async def test_an_idempotency_key_publishes_once(api: Api) -> None:
    async with api.client() as client:
        for text in ("Halo satu", "Halo satu"):
            response = await client.post(
                "/api/templates/upgrade_offer", json={"whatsapp": text}, headers={"Idempotency-Key": "once"}
            )
            assert response.status_code == 201
    assert response.headers["Idempotent-Replayed"] == "true"
    assert api.rows["templates"].count_documents({"type": "upgrade_offer"}) == 2


async def test_publishing_is_in_the_audit_log(api: Api) -> None:
    await publish(api, "satisfaction_survey", whatsapp="Selamat datang.")
    (entry,) = api.rows["audit_log"].find()
    assert (entry["actor"], entry["action"], entry["targets"]) == ("sari", "template.publish", ["satisfaction_survey"])
    assert (entry["before"], entry["after"]["version"], entry["outcome"]) == ({"version": 1}, 2, "done")


async def test_an_operator_may_name_a_template_of_his_own(api: Api) -> None:
    published = await publish(api, "promo-akhir", whatsapp=OWN)
    assert (published["id"], published["type"]) == ("promo-akhir:1", "custom")
    shown = await preview(api, "promo-akhir", data={"name": "Sari"})
    assert shown["whatsapp"]["text"] == "Halo Sari, promo akhir tahun sudah tiba."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Halo\n{{ customer.nama }}", "line 2: nobody gives a value customer.nama; did you mean customer.name?"),
        ("Halo {{ nomor }}", "line 1: nobody gives a value nomor"),
        ("{% if note is defined %}{{ noet }}{% endif %}", "nobody gives a value noet"),
        ("Halo\n\n{{ customer.name | besar }}", "line 3: No filter named 'besar'"),
        ("Halo {{ customer.name", "line 1"),
        ("Halo {% for x in customer %}", "line 1"),
        ("{{ customer.__class__ }}", "nobody gives"),
        ("{% include 'x' %}", "line 1: `include` is not allowed"),
        ("Halo\n{{ customer.name | rupiah }}", "line 2: `rupiah` cannot read 'Sari Wulandari'"),
        ("{{ customer }}", "line 1: a value is a list or an object"),
        ("x" * 4097, "longer than 4,096 characters"),
        ("x" * 8193, "at most 8,192 characters"),
        ("Halo \x07", "control character U+0007 at position 6"),
        ("\u200b \n", "at least one visible character"),
        ("", "at least one visible character"),
    ],
)
async def test_a_text_that_could_not_be_sent_is_not_published(api: Api, text: str, says: str) -> None:
    code = "EMPTY_MESSAGE" if "visible" in says else "VALIDATION_ERROR"
    assert says in await refused(api, "/api/templates/ticket_status_update", {"whatsapp": text}, "whatsapp", code=code)
    assert api.rows["templates"].count_documents({"type": "ticket_status_update"}) == 1
    assert api.rows["audit_log"].count_documents({}) == 0


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("welcome", {}, "whatsapp"),
        ("welcome", {"text": "Halo"}, "text"),
        ("welcome", {"whatsapp": None}, "whatsapp"),
        ("welcome", {"whatsapp": 5}, "whatsapp"),
        ("welcome", {"email_text": "Halo"}, "email_subject"),
        ("welcome", {"email_subject": "a\nb", "email_text": "Halo"}, "email_subject"),
        ("welcome", {"email_subject": "a" * 201, "email_text": "Halo"}, "email_subject"),
        ("payment_reminder", {"email_subject": None, "email_text": None}, "email_text"),
        ("custom", {"whatsapp": "Halo"}, "name"),
        ("Promo", {"whatsapp": "Halo"}, "name"),
        ("p", {"whatsapp": "Halo"}, "name"),
        ("promo_akhir", {"whatsapp": "Halo"}, "name"),
        ("p" * 42, {"whatsapp": "Halo"}, "name"),
        ("masih-baru", {"email_subject": "a", "email_text": "b"}, "whatsapp"),
        ("promo-akhir", {"whatsapp": "{{ a() }}"}, "whatsapp"),
    ],
)
async def test_a_bad_body_or_name_is_refused_by_its_field(api: Api, name: str, body: Document, field: str) -> None:
    await refused(api, f"/api/templates/{name}", body, field)


async def test_what_could_fail_later_is_said_while_it_is_published(api: Api) -> None:
    api.rows["senders"].insert_many([stored_sender("fonnte-1"), {**stored_sender("wablas-1"), "max_text_chars": 1024}])
    published = await publish(api, "learning_log", whatsapp="{{ author }} " + "x" * 1200)
    assert len(published["warnings"]) == 2
    assert "line 1: 'author' is undefined" in published["warnings"][0]
    assert "wablas takes 1,024" in published["warnings"][1]


async def test_a_preview_shows_the_texts_with_the_example_and_what_each_provider_takes(api: Api) -> None:
    api.rows["senders"].insert_one({**stored_sender("wablas-1"), "max_text_chars": 100})
    shown = await preview(api, "payment_overdue")
    assert shown["version"] == 1
    assert "Jumlah: *Rp 275.000*" in shown["whatsapp"]["text"]
    assert shown["whatsapp"]["characters"] == len(shown["whatsapp"]["text"])
    assert shown["whatsapp"]["providers"]["wablas"]["fits"] is False
    assert shown["email"]["subject"] == "Tagihan INV/2025/11/1001 lewat jatuh tempo 3 hari"


async def test_a_preview_takes_data_drafts_and_versions(api: Api) -> None:
    data = {"invoice_id": "INV-1", "days_overdue": 1, "invoice": {"amount": 1000}}
    shown = await preview(api, "payment_overdue", data=data)
    assert "lewat jatuh tempo *1 hari*" in shown["whatsapp"]["text"]
    assert "Rp 1.000" in shown["whatsapp"]["text"]
    await publish(api, "installation_schedule", whatsapp="Dua")
    assert (await preview(api, "installation_schedule"))["whatsapp"]["text"] == "Dua"
    assert "Pemasangan layanan" in (await preview(api, "installation_schedule", version=1))["whatsapp"]["text"]
    draft = await preview(api, "installation_schedule", whatsapp="Halo {{ customer.name }}")
    assert (draft["version"], draft["whatsapp"]["text"]) == (None, "Halo Sari Wulandari")
    assert (await preview(api, "belum-ada", whatsapp=OWN, data={"name": "Sari"}))["version"] is None


async def test_a_preview_makes_no_version_and_no_entry_of_the_audit_log(api: Api) -> None:
    await preview(api, "system_alert", whatsapp="Halo")
    assert api.rows["templates"].count_documents({"type": "system_alert"}) == 1
    assert api.rows["audit_log"].count_documents({}) == 0


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("welcome", {"whatsapp": "{{ nope }}"}, "whatsapp"),
        ("account_activated", {"version": 1, "data": {"customer_id": "C", "customer": {"name": [1]}}}, "whatsapp"),
        ("welcome", {"data": [1]}, "data"),
        ("welcome", {"data": {"a b": 1}}, "data"),
        ("welcome", {"data": {"a": "x" * 20_000}}, "data.a"),
        ("welcome", {"version": 0}, "version"),
        ("welcome", {"version": "1"}, "version"),
        ("payment_link", {"data": {"invoice_id": "I-1", "invoice": {}}}, "whatsapp"),
        ("payment_link", {"data": {"invoice_id": "I-1", "invoice": {"payment_link": "javascript:x"}}}, "whatsapp"),
        ("custom", {}, "name"),
    ],
)
async def test_a_preview_that_cannot_be_made_says_why(api: Api, name: str, body: Document, field: str) -> None:
    await refused(api, f"/api/templates/{name}/preview", body, field)


@pytest.mark.parametrize(
    "path",
    [
        "/api/templates/belum-ada",
        "/api/templates/custom",
        "/api/templates/Not%20A%20Name",
        "/api/templates/welcome/versions/9",
        "/api/templates/welcome/versions/0",
    ],
)
async def test_what_nobody_published_is_not_found(api: Api, path: str) -> None:
    assert (await get(api, path, status=404))["code"] == "NOT_FOUND"


async def test_a_preview_of_what_nobody_published_is_not_found(api: Api) -> None:
    async with api.client() as client:
        assert_error(await client.post("/api/templates/belum-ada/preview"), 404, "NOT_FOUND")
        assert_error(await client.post("/api/templates/welcome/preview", json={"version": 9}), 404, "NOT_FOUND")


async def test_a_version_that_is_no_number_is_refused(api: Api) -> None:
    async with api.client() as client:
        assert_error(await client.get("/api/templates/welcome/versions/x"), 422, "VALIDATION_ERROR", field="version")
        huge = await client.get(f"/api/templates/welcome/versions/{10**30}")
        assert huge.status_code in {404, 422}


async def test_every_definition_can_be_previewed_as_it_comes(api: Api) -> None:
    for kind in DEFINITIONS:
        if kind is not NotificationType.CUSTOM:
            assert (await preview(api, kind))["whatsapp"]["text"]
