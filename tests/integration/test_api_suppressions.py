"""Recipients nobody may contact, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.api import Api, assert_error
from tests.support.stored_deliveries import stored_delivery

SARI = "6281200000001"
SPELLINGS = [SARI, "+62 812-0000-0001", "081200000001", "62%20812%200000%200001", f"{SARI}@s.whatsapp.net"]


@pytest.fixture(autouse=True)
def nothing_stored(api: Api) -> None:
    for collection in ("suppressions", "deliveries", "audit_log"):
        api.rows[collection].delete_many({})


async def suppress(api: Api, recipient: str = SARI, *, status: int = 201, **body: Any) -> dict[str, Any]:
    async with api.client() as client:
        response = await client.post("/api/suppressions", json={"recipient": recipient, **body})
    assert response.status_code == status, response.text
    told: dict[str, Any] = response.json()
    return told


async def test_suppressing_somebody_ends_what_waits_and_shows_no_number(api: Api) -> None:
    waiting = stored_delivery(recipient=SARI, suppressible=True)
    needed = stored_delivery(recipient=SARI)
    api.rows["deliveries"].insert_many([waiting, needed])
    told = await suppress(api, "0812-0000-0001", reason="blocked", note="dari 081200000001")
    assert told["success"] is True
    assert (told["recipient"], told["reason"], told["created_by"], told["ended"]) == (
        "6281******001", "blocked", "tester", 1,
    )  # fmt: skip
    assert SARI not in str(told)
    assert "081200000001" not in str(told)
    stored = api.rows["deliveries"].find_one({"_id": waiting["_id"]}) or {}
    assert stored["status"] == "suppressed"
    assert stored["reason"].startswith("blocked on ")
    left = api.rows["deliveries"].find_one({"_id": needed["_id"]}) or {}
    assert left["status"] == "queued"


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_one_is_found_and_lifted_by_any_spelling(api: Api, spelling: str) -> None:
    await suppress(api)
    async with api.client() as client:
        found = await client.get(f"/api/suppressions/{spelling}")
        lifted = await client.delete(f"/api/suppressions/{spelling}")
        gone = await client.get(f"/api/suppressions/{spelling}")
    assert (found.status_code, found.json()["recipient"]) == (200, "6281******001")
    assert (lifted.status_code, lifted.json()["success"]) == (200, True)
    assert_error(gone, 404, "NOT_FOUND")
    assert SARI not in gone.text
    assert api.rows["suppressions"].count_documents({}) == 0


async def test_what_a_person_decides_stands_instead_of_an_opt_out(api: Api) -> None:
    await suppress(api, reason="opt_out")
    told = await suppress(api, status=200, reason="blocked")
    assert told["reason"] == "blocked"
    assert api.rows["suppressions"].count_documents({"_id": SARI, "reason": "blocked"}) == 1


async def test_they_are_listed_page_by_page_masked_and_the_cursor_tells_no_number(api: Api) -> None:
    for number in range(5):
        await suppress(api, f"62812000000{number:02d}")
    seen: list[str] = []
    cursor = None
    async with api.client() as client:
        while True:
            parameters = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
            page = (await client.get("/api/suppressions", params=parameters)).json()
            seen += [one["recipient"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    assert seen == [f"6281******{number:03d}" for number in reversed(range(5))]


async def test_one_is_lifted_by_the_id_it_is_listed_with(api: Api) -> None:
    told = [await suppress(api, f"62812000000{number:02d}") for number in range(2)]
    again = await suppress(api, "6281200000001", status=200)
    async with api.client() as client:
        items = (await client.get("/api/suppressions")).json()["items"]
        assert [one["id"] for one in items] == [again["id"], told[0]["id"]] == [told[1]["id"], told[0]["id"]]
        found = await client.get(f"/api/suppressions/{items[1]['id']}")
        lifted = await client.delete(f"/api/suppressions/{items[1]['id']}")
        gone = await client.delete(f"/api/suppressions/{items[1]['id']}")
    assert found.json() == items[1]
    assert (lifted.status_code, lifted.json()) == (200, {"success": True, "id": items[1]["id"]})
    assert_error(gone, 404, "NOT_FOUND")
    assert [one["_id"] for one in api.rows["suppressions"].find()] == ["6281200000001"]
    (entry,) = api.rows["audit_log"].find({"action": "suppression.lift"})
    assert entry["targets"] == ["6281******000"]


async def test_each_change_is_in_the_audit_log_without_the_number(api: Api) -> None:
    await suppress(api, note="diminta")
    async with api.client() as client:
        await client.delete(f"/api/suppressions/{SARI}")
        entries = (await client.get("/api/audit-log")).json()["items"]
    assert [(one["action"], one["targets"], one["outcome"]) for one in entries] == [
        ("suppression.lift", ["6281******001"], "done"),
        ("suppression.add", ["6281******001"], "done"),
    ]
    assert (entries[1]["before"], entries[1]["after"]["note"], entries[1]["after"]["ended"]) == (None, "diminta", 0)
    assert SARI not in str(list(api.rows["audit_log"].find()))


@pytest.mark.parametrize("role", ["manager", "supervisor", "noc", "cs", "technician"])
async def test_only_an_admin_sees_and_changes_them(api: Api, role: str) -> None:
    async with api.client(role) as client:
        for response in (
            await client.get("/api/suppressions"),
            await client.get(f"/api/suppressions/{SARI}"),
            await client.post("/api/suppressions", json={"recipient": SARI}),
            await client.delete(f"/api/suppressions/{SARI}"),
        ):
            assert_error(response, 403, "FORBIDDEN")
    assert api.rows["suppressions"].count_documents({}) == 0


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "VALIDATION_ERROR", "recipient"),
        ({"recipient": "12345"}, "INVALID_PHONE", "recipient"),
        ({"recipient": 6281200000001}, "VALIDATION_ERROR", "recipient"),
        ({"recipient": "0" * 255}, "VALIDATION_ERROR", "recipient"),
        ({"recipient": "sari@example"}, "INVALID_EMAIL", "recipient"),
        ({"recipient": SARI, "reason": "annoying"}, "VALIDATION_ERROR", "reason"),
        ({"recipient": SARI, "note": ""}, "VALIDATION_ERROR", "note"),
        ({"recipient": SARI, "until": "2030-01-01"}, "VALIDATION_ERROR", "until"),
    ],
)
async def test_what_cannot_be_suppressed_is_said(api: Api, body: dict[str, Any], code: str, field: str) -> None:
    async with api.client() as client:
        assert_error(await client.post("/api/suppressions", json=body), 422, code, field=field)
        assert_error(await client.get("/api/suppressions/12345"), 422, "INVALID_PHONE", field="recipient")
        assert_error(await client.delete(f"/api/suppressions/{SARI}"), 404, "NOT_FOUND")


async def test_the_same_key_is_done_once_and_answered_alike(api: Api) -> None:
    async with api.client() as client:
        headers = {"Idempotency-Key": f"suppress-{datetime.now(UTC).timestamp()}"}
        first = await client.post("/api/suppressions", json={"recipient": SARI}, headers=headers)
        again = await client.post("/api/suppressions", json={"recipient": SARI}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


async def test_a_broadcast_that_is_planned_at_the_same_moment_adds_up(api: Api) -> None:
    """An audience that is looked for may turn out to be larger or smaller than it was thought to be."""
    now = datetime.now(UTC)
    common = {"created_at": now, "wake_at": now + timedelta(hours=1), "pages": 0, "planned_pages": 0}
    query = {"audience_query": {"rows": "customers"}}
    api.rows["notifications"].delete_many({})
    api.rows["notifications"].insert_many(
        [
            {"_id": "ntf_more", "status": "accepted", "recipients": 1, **query, **common},
            {"_id": "ntf_fewer", "status": "accepted", "recipients": 5, **query, **common},
            {"_id": "ntf_cancelled", "status": "cancelled", "recipients": 1, **query, **common},
            {"_id": "ntf_listed", "status": "accepted", "recipients": 3, **common},
        ]
    )
    for identity, count in (("ntf_more", 4), ("ntf_fewer", 2), ("ntf_cancelled", 3), ("ntf_listed", 1)):
        api.rows["deliveries"].insert_many([stored_delivery(notification_id=identity) for _ in range(count)])
    async with api.client() as client:
        counted = (await client.get("/admin/conservation")).json()
    assert counted["difference"] == 0
    assert (counted["not_yet_planned"], counted["cancelled_before_planning"]) == (5, 0)
    api.rows["deliveries"].delete_one({"notification_id": "ntf_listed"})
    api.rows["notifications"].update_one({"_id": "ntf_listed"}, {"$set": {"status": "planned"}})
    async with api.client() as client:
        assert (await client.get("/admin/conservation")).json()["difference"] == 3
