"""Asking for somebody to be erased, and looking how far it is."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.api import Api, assert_error
from tests.support.stored_deliveries import stored_delivery, stored_notification

NUMBER, MASKED = "6281200000041", "6281******041"


async def ask(client: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await client.post("/api/erasures", json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    ("body", "named", "wanted"),
    [
        ({"phone": "0812-0000-0041"}, MASKED, NUMBER),
        ({"email": "Siti@Example.com"}, "s***@example.com", "siti@example.com"),
        ({"customer_id": "C-41", "dry_run": True}, "C-41", "C-41"),
    ],
)
async def test_it_is_accepted_and_can_be_looked_at(api: Api, body: dict[str, Any], named: str, wanted: str) -> None:
    async with api.client() as client:
        answer = await ask(client, body)
        assert answer.status_code == 202, answer.text
        asked = answer.json()
        assert (asked["named"], asked["status"], asked["dry_run"]) == (named, "requested", "dry_run" in body)
        assert answer.headers["Location"] == f"/api/erasures/{asked['erasure_id']}"
        shown = (await client.get(f"/api/erasures/{asked['erasure_id']}")).json()
        listed = (await client.get("/api/erasures")).json()["items"]
    assert shown == {name: value for name, value in asked.items() if name not in {"success", "erasure_id"}}
    assert listed[0] == shown
    stored = api.rows["erasures"].find_one({"_id": asked["id"]}) or {}
    assert (stored["wanted"], stored["wake_at"]) == (wanted, stored["requested_at"])
    if wanted != named:
        assert wanted not in str(shown)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "phone", "VALIDATION_ERROR"),
        ({"phone": NUMBER, "customer_id": "C-1"}, "phone", "VALIDATION_ERROR"),
        ({"phone": "12"}, "phone", "INVALID_PHONE"),
        ({"phone": "120363000000000001@g.us"}, "phone", "VALIDATION_ERROR"),
        ({"email": "siti"}, "email", "INVALID_EMAIL"),
        ({"customer_id": ""}, "customer_id", "VALIDATION_ERROR"),
        ({"phone": NUMBER, "dry_run": "yes"}, "dry_run", "VALIDATION_ERROR"),
        ({"phone": NUMBER, "reason": "x"}, "reason", "VALIDATION_ERROR"),
    ],
)
async def test_what_names_nobody_is_refused_with_its_field(
    api: Api, body: dict[str, Any], field: str, code: str
) -> None:
    async with api.client() as client:
        assert_error(await ask(client, body), 422, code, field=field)


async def test_the_audit_log_has_the_masked_number_only(api: Api) -> None:
    async with api.client() as client:
        asked = (await ask(client, {"phone": NUMBER})).json()
        entries = (await client.get("/api/audit-log", params={"action": "erasure.request"})).json()["items"]
    entry = next(one for one in entries if asked["erasure_id"] in one["targets"])
    assert (entry["targets"], entry["outcome"]) == ([asked["erasure_id"], MASKED], "done")
    assert NUMBER not in str(list(api.rows["audit_log"].find()))


async def test_asking_again_with_the_same_key_is_one_erasure(api: Api) -> None:
    async with api.client() as client:
        answers = [await ask(client, {"phone": NUMBER}, Idempotency_Key="erase-1") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert api.rows["erasures"].count_documents({"_id": answers[0].json()["id"]}) == 1


async def test_one_that_is_not_there_is_not_found(api: Api) -> None:
    async with api.client() as client:
        assert_error(await client.get("/api/erasures/era_x"), 404, "NOT_FOUND")


async def test_the_list_goes_on_where_it_ended(api: Api) -> None:
    async with api.client() as client:
        for number in range(3):
            await ask(client, {"customer_id": f"P-{number}"})
            await asyncio.sleep(0.002)  # identities are in the order of milliseconds
        first = (await client.get("/api/erasures", params={"limit": 2})).json()
        second = (await client.get("/api/erasures", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [one["named"] for one in first["items"] + second["items"]] == ["P-2", "P-1", "P-0"]


async def test_a_delivery_without_contents_is_shown_and_never_sent_again(api: Api) -> None:
    notification = stored_notification(contents_removed_at=None, audience=[], message=None)
    notification["contents_removed_at"] = notification["created_at"]
    removed = stored_delivery(
        "failed", notification=notification, to="", message="", contents_removed_at=notification["created_at"]
    )
    api.rows["notifications"].insert_one(notification)
    api.rows["deliveries"].insert_one(removed)
    path = f"/api/deliveries/{removed['_id']}"
    async with api.client() as client:
        shown = (await client.get(path)).json()
        refused = assert_error(await client.post(f"{path}/retry", json={}), 409, "CONFLICT")
        many = await client.post("/api/dead-deliveries/retry", json={"ids": [removed["_id"]]})
        dead = (await client.get("/api/dead-deliveries")).json()["items"]
        of_it = (await client.get(f"/api/notifications/{notification['_id']}")).json()
    assert (shown["recipient"], shown["contents_removed_at"]) == ("", of_it["contents_removed_at"])
    assert "contents were removed on" in refused["error"]
    assert many.json()["retried"] == 0
    assert removed["_id"] not in [one["id"] for one in dead]
    assert (api.rows["deliveries"].find_one({"_id": removed["_id"]}) or {})["status"] == "failed"
